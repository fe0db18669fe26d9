"""The difference of two clocks, whatever comes between two looks."""

from __future__ import annotations

from collections.abc import Iterator

from tcpsnoop.owners.tracing.clocks import FIRST_LOOKS, ClockDifference


class Time:
    """A monotonic clock of which every look takes as long as the test says."""

    def __init__(self) -> None:
        self.now = 0
        self.ahead = 1_000_000
        self.takes: Iterator[int] = iter(())

    def monotonic(self) -> int:
        self.now += next(self.takes, 100)
        return self.now

    def system(self) -> int:
        return self.monotonic() + self.ahead


def difference(time: Time) -> ClockDifference:
    return ClockDifference(time.system, time.monotonic)


def test_the_difference_is_known_within_the_time_of_the_best_look() -> None:
    time = Time()
    assert abs(difference(time)() - 1_000_000) <= 100


def test_an_interruption_between_two_clocks_changes_nothing() -> None:
    time = Time()
    time.takes = iter([5_000_000] * (3 * (FIRST_LOOKS - 1)))
    known = difference(time)
    time.takes = iter([100, 9_000_000, 100])
    assert abs(known() - 1_000_000) <= 100
    time.takes = iter([100, 100, 9_000_000])
    assert abs(known() - 1_000_000) <= 100


def test_a_clock_that_was_set_is_followed() -> None:
    time = Time()
    known = difference(time)
    time.ahead = -3_000_000_000
    assert abs(known() + 3_000_000_000) <= 100
