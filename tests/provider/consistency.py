"""Whether what a Tracker remembers hangs together: lists, chains, counts; nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.provider import memory as places
from tcpsnoop.provider.intervals import MAX_HOLES, MOST_RUNS
from tcpsnoop.provider.timings import MOST
from tcpsnoop.provider.tracker import Tracker


def check(tracker: Tracker) -> None:
    """Raise AssertionError when something does not."""
    _check_rows(tracker)
    _check_buckets(tracker)
    if tracker._table.state[places.FOLLOWS]:
        _check_intervals(tracker)
    if tracker._table.state[places.ANALYSES]:
        _check_timings(tracker)
        _check_waiting(tracker)


def live(tracker: Tracker) -> int:
    """Connections remembered now."""
    return int(tracker._table.state[places.LIVE])


def intervals_in_use(tracker: Tracker) -> int:
    """Intervals that some end holds or has as a hole."""
    state = tracker._table.state
    free = list(_chain(tracker._memory.intervals, int(state[places.INTERVAL_FREE])))
    used = int(state[places.INTERVAL_FRESH]) - len(free)
    assert used == state[places.INTERVALS_USED]
    return used


def timings_in_use(tracker: Tracker) -> int:
    """Rows of segments and timestamps that wait for their answer."""
    state = tracker._table.state
    free = list(_chain(tracker._memory.timings, int(state[places.TIMING_FREE])))
    return int(state[places.TIMING_FRESH]) - len(free)


def waiting(tracker: Tracker) -> list[int]:
    """Rows of the connections whose SYN waits for its answer, the oldest first."""
    table = tracker._table
    found: list[int] = []
    here = int(table.state[places.WAITING_FIRST])
    while here >= 0:
        assert here not in found, "a list goes round in a circle"
        found.append(here)
        here = int(table.openings[here]["after"])
    return found


def _chain(nodes: NDArray[np.void], first: int) -> Iterator[int]:
    """The indices of a list; it must end before it has gone through all nodes twice."""
    here = first
    for _ in range(len(nodes) + 1):
        if here < 0:
            return
        yield here
        here = int(nodes[here]["chain"])
    raise AssertionError("a list goes round in a circle")


def _check_rows(tracker: Tracker) -> None:
    """Every row is free, fresh or used, and just one of them."""
    table = tracker._table
    fresh = int(table.state[places.FRESH])
    free = list(_chain(table.connections, int(table.state[places.FREE])))
    used = [int(slot) for slot in np.flatnonzero(table.connections["number"])]
    assert sorted([*free, *used]) == list(range(fresh))
    assert len(used) == table.state[places.LIVE] <= len(table.connections)
    numbers = table.connections["number"][used]
    assert len(set(numbers.tolist())) == len(used)
    assert all(0 < number <= table.state[places.NUMBER] for number in numbers)


def _check_buckets(tracker: Tracker) -> None:
    """Every used row is in one bucket, and no other row is in any."""
    table = tracker._table
    found = [
        slot
        for first in table.buckets[: table.state[places.BUCKETS]]
        for slot in _chain(table.connections, int(first))
    ]
    assert sorted(found) == np.flatnonzero(table.connections["number"]).tolist()
    names = ["first_high", "first_low", "second_high", "second_low", "first_port", "second_port"]
    keys = Counter(tuple(table.connections[slot][name] for name in names) for slot in found)
    assert not keys or max(keys.values()) == 1


def _check_intervals(tracker: Tracker) -> None:
    """Every interval is free or in the list of one end, where it belongs."""
    table, pool = tracker._table, tracker._memory.intervals
    free = list(_chain(pool, int(table.state[places.INTERVAL_FREE])))
    taken: list[int] = []
    for slot in np.flatnonzero(table.connections["number"]):
        for end in (table.streams[2 * slot], table.streams[2 * slot + 1]):
            held = list(_chain(pool, int(end["held"])))
            holes = list(_chain(pool, int(end["holes"])))
            taken += held + holes
            _check_held(pool, held, int(end["next"]))
            assert len(holes) <= MAX_HOLES
            assert all(pool[hole]["start"] < pool[hole]["stop"] for hole in holes)
    assert sorted([*free, *taken]) == list(range(int(table.state[places.INTERVAL_FRESH])))


def _check_held(pool: NDArray[np.void], held: list[int], following: int) -> None:
    """Above the next number expected, ascending, apart, not too many."""
    reached = following
    for place in held:
        assert reached <= pool[place]["start"] < pool[place]["stop"]
        assert pool[place]["start"] > following
        reached = pool[place]["stop"]
    assert len(held) <= MOST_RUNS


def _check_timings(tracker: Tracker) -> None:
    """Every row is free or in one queue, whose entries are counted and whose last row is known."""
    table, pool = tracker._table, tracker._memory.timings
    free = list(_chain(pool, int(table.state[places.TIMING_FREE])))
    taken: list[int] = []
    for slot in np.flatnonzero(table.connections["number"]):
        for end in (table.analyses[2 * slot], table.analyses[2 * slot + 1]):
            for first, count in (("flight", "flights"), ("stamps", "stamped")):
                queue = list(_chain(pool, int(end[first])))
                rows = pool[queue]
                assert (rows["first"] < rows["end"]).all()
                assert int((rows["end"] - rows["first"]).sum()) == end[count] <= MOST
                assert not queue or queue[-1] == end[f"{first}_last"]
                taken += queue
    assert sorted([*free, *taken]) == list(range(int(table.state[places.TIMING_FRESH])))


def _check_waiting(tracker: Tracker) -> None:
    """Who is marked waits in the list, and nobody else; it can be gone through both ways."""
    table = tracker._table
    found = waiting(tracker)
    marked = table.openings["known"] & places.WAITS != 0
    used = table.connections["number"] != 0
    assert sorted(found) == np.flatnonzero(marked & used).tolist()
    last = table.state[places.WAITING_LAST]
    assert last == (found[-1] if found else places.NONE)
    before = [int(table.openings[slot]["before"]) for slot in found]
    assert before == [places.NONE, *found[:-1]][: len(found)]
