"""What was fetched in pieces becomes one batch, as large as batches may be."""

from __future__ import annotations

import struct

import numpy as np

from tcpsnoop.sources.gathering import BATCH, BATCH_BYTES, Gathering


def piece(*packets: bytes, second: int = 1) -> tuple[bytes, bytes]:
    """Packets as pcapy-ng gives them, a microsecond apart."""
    records, at = b"", 0
    for number, packet in enumerate(packets):
        records += struct.pack("=4I", second, number, at, len(packet))
        at += len(packet)
    return b"".join(packets), records


def is_enough(gathering: Gathering) -> bool:
    return gathering.enough


def test_pieces_become_one_batch() -> None:
    gathering = Gathering(snaplen=5)
    assert len(gathering) == 0
    gathering.add(*piece(b"abc", b"defgh"))
    gathering.add(*piece(b"ij", second=2))
    assert len(gathering) == 3
    batch = gathering.batch()
    assert len(gathering) == 0
    data = batch.data.tobytes()
    ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
    assert [data[at : at + size] for at, size in ends] == [b"abc", b"defgh", b"ij"]
    assert batch.packet.tolist() == [1, 2, 3]
    assert batch.time_ns.tolist() == [1_000_000_000, 1_000_001_000, 2_000_000_000]
    assert batch.original.tolist() == [3, -1, 2]  # one may have been cut


def test_packets_are_counted_on_in_the_next_batch() -> None:
    gathering = Gathering(snaplen=100)
    for expected in ([1, 2], [3, 4]):
        gathering.add(*piece(b"a", b"b"))
        batch = gathering.batch()
        assert batch.packet.tolist() == expected
        assert batch.offset.tolist() == [0, 1]


def test_half_of_what_fits_is_enough() -> None:
    gathering = Gathering(snaplen=100)
    assert gathering.room == BATCH
    gathering.add(*piece(*[b"a"] * (BATCH // 2 - 1)))
    assert not is_enough(gathering)
    assert gathering.room == BATCH // 2 + 1
    gathering.add(*piece(b"a"))
    assert is_enough(gathering)


def test_of_large_packets_there_is_room_for_fewer() -> None:
    gathering = Gathering(snaplen=BATCH_BYTES)
    gathering.add(*piece(*[bytes(1 << 16)] * 63))
    assert not is_enough(gathering)
    assert gathering.room == 65
    gathering.add(*piece(bytes(1 << 16)))
    assert is_enough(gathering)
    gathering.batch()
    assert gathering.room == 128


def test_a_piece_that_is_larger_than_thought_is_kept_whole() -> None:
    gathering = Gathering(snaplen=1 << 30)
    gathering.add(*piece(b"first"))
    large = np.arange(BATCH_BYTES, dtype=np.uint8).tobytes()
    gathering.add(*piece(large, b"last"))
    batch = gathering.batch()
    data = batch.data.tobytes()
    ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
    assert [data[at : at + size] for at, size in ends] == [b"first", large, b"last"]
    assert gathering.room in (1, 2)
