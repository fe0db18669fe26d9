"""Parts of a batch of packets: the same bytes, fewer rows."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.packets import PacketBatch, first_packets, slice_packets, take_packets
from tcpsnoop.sources.columns import empty_columns

COUNT = 5


def batch() -> PacketBatch:
    """Five packets of one byte each: every column is its row's number."""
    columns = empty_columns(np.arange(COUNT, dtype=np.uint8), COUNT)
    for column in columns[1:]:
        column[:] = range(COUNT)
    return columns


def rows(part: PacketBatch) -> list[int]:
    """The numbers of the rows, the same in every column."""
    columns = [column.tolist() for column in part[1:]]
    assert all(column == columns[0] for column in columns)
    found: list[int] = columns[0]
    return found


def test_the_first_and_a_slice_are_views() -> None:
    whole = batch()
    for part, expected in (
        (first_packets(whole, 2), [0, 1]),
        (first_packets(whole, 9), [0, 1, 2, 3, 4]),
        (slice_packets(whole, 1, 3), [1, 2]),
        (slice_packets(whole, 3, 3), []),
    ):
        assert rows(part) == expected
        assert part.data is whole.data
        assert all(np.shares_memory(part.packet, whole.packet) for _ in expected)


def test_chosen_packets_keep_their_bytes() -> None:
    whole = batch()
    assert rows(take_packets(whole, np.array([4, 0]))) == [4, 0]
    chosen = take_packets(whole, np.arange(COUNT) % 2 == 1)
    assert rows(chosen) == [1, 3]
    assert whole.data[chosen.offset].tolist() == [1, 3]
