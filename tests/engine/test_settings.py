"""What follows from what the user chose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tcpsnoop.engine.settings import Settings
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.io import Io


def test_without_files_it_is_live_on_all_interfaces() -> None:
    settings = Settings((), Text)
    assert settings.live
    assert settings.interface == "any"
    assert not settings.several_files


def test_rows_say_their_file_when_there_are_several() -> None:
    assert not Settings((), Text, files=("a",)).live
    assert not Settings((), Text, files=("a",)).several_files
    assert Settings((), Text, files=("a", "b")).several_files


def test_the_defaults_are_those_of_the_design() -> None:
    settings = Settings((), Text)
    assert settings.max_connections == 2**20
    assert settings.buffer_kib == 16384
    assert settings.promiscuous
    assert settings.header


def test_nobody_needs_to_listen() -> None:
    settings = Settings((), Text)
    settings.note("unheard")
    settings.fault("unheard")


def test_reading_ends_with_the_duration_or_the_last_interval() -> None:
    def seconds(**given: float) -> float | None:
        return Settings((), Text, **given).capture_seconds  # type: ignore[arg-type]  # mixed numbers

    assert seconds() is None
    assert seconds(interval=2.0) is None
    assert seconds(intervals=3) is None
    assert seconds(interval=2.0, intervals=3) == 6
    assert seconds(duration=5.0) == 5
    assert seconds(duration=5.0, interval=2.0, intervals=3) == 5
    assert seconds(duration=7.0, interval=2.0, intervals=3) == 6


@pytest.mark.parametrize(
    ("report", "options", "named"),
    [
        (Io, {}, True),
        (Accept, {}, False),
        (Accept, {"pids": (1,)}, True),
        (Accept, {"run": ("true",)}, True),
        (Io, {"files": ("x",)}, False),
        (Io, {"files": ("x",), "owners": "j"}, True),
        (Accept, {"files": ("x",), "owners": "j"}, True),  # it tells what is local, too
    ],
)
def test_whether_processes_are_to_be_known(
    report: type, options: dict[str, Any], named: bool
) -> None:
    assert Settings((("x", report()),), Text, **options).names_processes is named


def test_the_leading_fields_of_machine_formats() -> None:
    reports = (("io", Io()), ("accept", Accept()))
    all_of_them = Settings(reports, Text, machine=True, files=("a", "b"), interval=1.0)
    assert all_of_them.leading == ["report", "interval", "file"]
    assert replace(all_of_them, machine=False).leading == []
    assert Settings(reports[:1], Text, machine=True).leading == []
