"""Options that do not go together."""

from __future__ import annotations

from tcpsnoop.engine.following import check_command
from tcpsnoop.engine.settings import Settings
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.reporter import LogReporter


def check(settings: Settings) -> None:
    """UsageError when something was asked for that cannot be."""
    if settings.files and settings.run:
        raise UsageError("-- CMD: what it does is captured live, not read from files")
    if settings.files and settings.chooses_processes and settings.owners is None:
        raise UsageError(
            "-p, --command, --uid, --cgroup: a capture file does not tell processes; capture live, "
            "or give a journal of them by --owners"
        )
    if settings.owners is not None and settings.live:
        raise UsageError(
            "--owners: a journal is for captures that are read (-r); live, processes are looked up"
        )
    check_command(settings.run)
    logs = [name for name, reporter in settings.reports if isinstance(reporter, LogReporter)]
    for option, given in (
        ("--interval", settings.interval),
        ("--intervals", settings.intervals),
        ("--top", settings.top),
        ("--sort", settings.sort),
    ):
        if given is not None and logs:
            raise UsageError(f"{option}: {logs[0]} is a log and writes each row as it comes")
    if settings.intervals is not None and settings.interval is None:
        raise UsageError("--intervals: how long is each? --interval says it in seconds")
