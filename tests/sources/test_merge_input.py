"""One input of a merge: a look at its first packet, its keys, and what is taken of it."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.merge_input import MergeInput
from tcpsnoop.sources.savefile import SavefileSource
from tests.sources.reading import Pieces
from tests.sources.records import header, record


def of(times: list[int], batch_size: int = 10) -> MergeInput:
    frames = [b"x"] * len(times)
    return MergeInput(0, lambda: MemorySource(frames, times, batch_size=batch_size))


def test_a_look_at_the_first_packet_closes_it_until_its_time() -> None:
    one = of([5, 6])
    first = one.source
    assert one.peek(0)
    assert (one.first_key, one.parked, one.left, first.ended) == (5, True, 0, True)
    assert one.peek(0)
    one.unpark()
    assert one.source is not first
    assert one.refill(0)
    assert (one.parked, one.left) == (False, 2)


def test_a_pipe_stays_open() -> None:
    stream = Pieces(header() + record(b"x", 5), waits=True)
    one = MergeInput(0, lambda: SavefileSource(stream, "pipe"))
    assert one.peek(0)
    assert (one.first_key, one.parked, one.left) == (5 * 10**9, False, 1)


def test_an_input_without_packets_has_no_first_one() -> None:
    one = of([])
    assert one.peek(0)
    assert (one.first_key, one.parked, one.left) == (None, False, 0)


def test_keys_never_fall_also_between_batches() -> None:
    one = of([3, 1, 2, 9, 4], batch_size=2)
    one.rank = 7
    keys = []
    while one.refill(0) and one.left:
        assert one.reach(1) <= one.reach(2) == one.reach(100)
        _batch, part = one.take(one.reach(100), 100, [])
        keys += part.tolist()
    assert keys == [3, 3, 3, 9, 9]


def test_equal_keys_are_taken_by_rank() -> None:
    for rank, taken in ((0, 3), (1, 3), (2, 1)):
        one = of([1, 2, 2, 3])
        one.rank = rank
        one.refill(0)
        batch, _keys = one.take((2, 1), 10, [])
        assert (len(batch.packet), one.left) == (taken, 4 - taken)


def test_no_more_is_taken_than_allowed() -> None:
    one = of([1, 1, 1, 1])
    one.refill(0)
    batch, keys = one.take((5, 0), 3, [])
    assert batch.packet.tolist() == [1, 2, 3]
    assert len(keys) == 3


def test_interfaces_are_numbered_behind_those_there_are() -> None:
    one = MergeInput(0, lambda: MemorySource([b"x"] * 3, link_types=[101, 1, 101]))
    one.refill(0)
    known = [CaptureInterface(113)]
    batch, _keys = one.take((10**9, 0), 10, known)
    assert [interface.link_type for interface in known] == [113, 1, 101]
    assert batch.interface.tolist() == [2, 1, 2]
    assert batch.interface.dtype == np.int32
