"""Capture time: the largest timestamp so far, begun anew by a jump of more than a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.engine.clock import CaptureClock
from tcpsnoop.sources.memory import MemorySource

DAY_NS = 24 * 60 * 60 * 1_000_000_000
START_NS = 1_147_507_200_000_000_000


def stamped(times: list[int], batch_size: int = 100) -> tuple[list[int], CaptureClock]:
    """The capture time of packets with these times, read in batches, and the clock after them."""
    clock = CaptureClock()
    source = MemorySource([b"x"] * len(times), times, batch_size=batch_size)
    written: list[int] = []
    while (batch := source.read(0)) is not None:
        clock.stamp(batch)
        assert batch.time_ns.tolist() == times[len(written) :][:batch_size]  # the times stay
        written += batch.clock_ns.tolist()
    return written, clock


def test_nothing_is_known_before_the_first_packet() -> None:
    written, clock = stamped([])
    assert (written, clock.first_ns, clock.jumps) == ([], None, 0)


@pytest.mark.parametrize("first", [0, -5, START_NS])
def test_the_first_packet_starts_it_whatever_its_time(first: int) -> None:
    written, clock = stamped([first, first + 7])
    assert (written, clock.first_ns, clock.jumps) == ([first, first + 7], first, 0)


def test_it_does_not_go_back_with_packets_out_of_order() -> None:
    times = [START_NS + offset for offset in (10, 30, 20, 30, 25, 31)]
    written, clock = stamped(times)
    assert [time - START_NS for time in written] == [10, 30, 30, 30, 30, 31]
    assert clock.jumps == 0


@pytest.mark.parametrize(
    ("step", "after", "jumps"),
    [
        (DAY_NS, DAY_NS, 0),
        (DAY_NS + 1, DAY_NS + 1, 1),
        (-DAY_NS, 0, 0),
        (-DAY_NS - 1, -DAY_NS - 1, 1),
    ],
)
def test_a_jump_is_more_than_a_day(step: int, after: int, jumps: int) -> None:
    written, clock = stamped([START_NS, START_NS + step])
    assert written == [START_NS, START_NS + after]
    assert (clock.first_ns, clock.jumps) == (START_NS, jumps)


def test_a_day_in_small_steps_is_no_jump() -> None:
    times = [START_NS + hour * DAY_NS // 24 for hour in range(60)]
    written, clock = stamped(times)
    assert (written, clock.jumps) == (times, 0)


def test_after_a_jump_back_time_goes_on_from_there() -> None:
    back = START_NS - 2 * DAY_NS
    written, clock = stamped([START_NS, back, back + 5, back + 3])
    assert written == [START_NS, back, back + 5, back + 5]
    assert clock.jumps == 1


HOUR_NS = DAY_NS // 24


@given(
    st.lists(st.integers(-80, 80).map(lambda hours: START_NS + hours * HOUR_NS), max_size=40),
    st.integers(1, 9),
)
def test_batches_do_not_matter_and_every_packet_follows_the_rule(
    times: list[int], batch_size: int
) -> None:
    written, clock = stamped(times, batch_size)
    jumps = 0
    for index, (time, now) in enumerate(zip(times, written, strict=True)):
        before = written[index - 1] if index else time
        jumped = abs(time - before) > DAY_NS
        jumps += jumped
        assert now == (time if jumped else max(before, time))
    assert clock.jumps == jumps
    assert clock.first_ns == (times[0] if times else None)
