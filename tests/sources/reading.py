"""Reading a source to its end, and streams that hand out bytes in any pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.savefile import SavefileSource

# What a source fills; the capture clock is the engine's.
COLUMNS = ("packet", "time_ns", "offset", "captured", "original", "interface", "direction")


class Packet(NamedTuple):
    """A packet as a source delivered it."""

    number: int
    time_ns: int
    data: bytes
    original: int
    interface: int
    direction: int


def packets_of(source: PacketSource, timeout: float = 10) -> list[Packet]:
    """All packets until the source ends; None in between fails."""
    return list(itertools.chain.from_iterable(batches_of(source, timeout)))


def batches_of(source: PacketSource, timeout: float = 10) -> list[list[Packet]]:
    """The packets of each batch until the source ends."""
    batches = []
    while not source.ended:
        batch = read_once(source, timeout)
        assert batch or source.ended, f"nothing came within {timeout} s"
        if batch:
            batches.append(batch)
    assert source.read(0) is None
    return batches


def read_once(source: PacketSource, timeout: float = 10) -> list[Packet]:
    """The packets of one `read`."""
    batch = source.read(timeout)
    if batch is None:
        return []
    packets = []
    for row in zip(*(getattr(batch, name).tolist() for name in COLUMNS), strict=True):
        number, time_ns, offset, captured, original, interface, direction = row
        assert 0 <= offset <= offset + captured <= len(batch.data)
        data = batch.data[offset : offset + captured].tobytes()
        packets.append(Packet(number, time_ns, data, original, interface, direction))
    return packets


class Pieces:
    """A stream that gives its content in pieces of the given sizes, the last one for the rest."""

    def __init__(self, content: bytes, sizes: Iterable[int] = (), *, waits: bool = False) -> None:
        self.waits = waits
        self.fault: str | None = None
        self.closed = False
        self._content = content
        self._sizes = iter(sizes)

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """The next piece, as far as it has room."""
        count = min(next(self._sizes, len(self._content)), len(view), len(self._content))
        view[:count] = self._content[:count]
        self._content = self._content[count:]
        return count

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def source_of(content: bytes, *, batch_size: int = 1000, capacity: int = 4096) -> SavefileSource:
    """A source of a file that has this content, called `input`."""
    return SavefileSource(Pieces(content), "input", batch_size=batch_size, capacity=capacity)
