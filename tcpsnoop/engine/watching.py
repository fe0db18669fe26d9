"""Reports that are looked at as they change: their intervals, and when a screen is right."""

from __future__ import annotations

import os
from dataclasses import replace

from tcpsnoop.engine.settings import Settings
from tcpsnoop.interfaces.reporter import WatchedReporter

_NO_SCREEN = ("", "dumb", "unknown")  # terminals, by $TERM, without a cursor that moves


def with_intervals(settings: Settings) -> Settings:
    """The settings; live, reports that are watched have intervals, if all of them are."""
    watched = [own for _, own in settings.reports if isinstance(own, WatchedReporter)]
    if not settings.live or settings.interval is not None or len(watched) < len(settings.reports):
        return settings
    return replace(settings, interval=min(own.interval_seconds for own in watched))


def wants_screen(settings: Settings) -> bool:
    """Whether the report is shown in place: one, as text, live, on a terminal of ours alone.

    A command that is run has the same terminal.
    """
    if settings.machine or settings.output is not None or not settings.live or settings.run:
        return False
    if len(settings.reports) != 1 or settings.interval is None:
        return False
    (_, reporter), *_ = settings.reports
    wanted = isinstance(reporter, WatchedReporter) and reporter.in_place
    return wanted and os.environ.get("TERM", "") not in _NO_SCREEN and _has_terminal()


def _has_terminal() -> bool:
    try:
        return os.isatty(1) and os.tcgetpgrp(1) == os.getpgrp()
    except OSError:
        return False
