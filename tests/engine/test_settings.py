"""What follows from what the user chose."""

from __future__ import annotations

from tcpsnoop.engine.settings import Settings
from tcpsnoop.renderers.text import Text


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
