"""Frames in memory: their columns, defaults, and batches."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.sources.memory import MemorySource
from tests.sources.reading import Packet, batches_of, packets_of

FRAMES = [b"first", b"", b"third frame"]


def test_what_is_given_comes_back() -> None:
    source = MemorySource(FRAMES, [7, 5, 6], link_types=[113, 1, 113], originals=[60, 0, -1])
    assert list(source.interfaces) == [CaptureInterface(1, 9), CaptureInterface(113, 9)]
    assert packets_of(source) == [
        Packet(1, 7, b"first", 60, 1, 0),
        Packet(2, 5, b"", 0, 0, 0),
        Packet(3, 6, b"third frame", -1, 1, 0),
    ]


def test_defaults_are_ethernet_and_a_millisecond_apart() -> None:
    source = MemorySource(FRAMES)
    assert list(source.interfaces) == [CaptureInterface(1, 9)]
    assert [(p.time_ns, p.original) for p in packets_of(source)] == [
        (0, 5),
        (1_000_000, 0),
        (2_000_000, 11),
    ]


@pytest.mark.parametrize(("size", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (9, [3])])
def test_any_batch_size(size: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in batches_of(MemorySource(FRAMES, batch_size=size))] == sizes


@pytest.mark.parametrize("frames", [[], [b""]])
def test_nothing_is_a_source_too(frames: list[bytes]) -> None:
    source = MemorySource(frames)
    assert len(packets_of(source)) == len(frames)
    assert source.ended
    assert source.damage is None
    assert source.drops() is None


def test_closing_ends_it() -> None:
    source = MemorySource(FRAMES)
    source.close()
    source.close()
    assert source.ended


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        MemorySource(FRAMES, [1, 2])
