"""Packets given in memory: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch, slice_packets
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.sources.columns import PACKETS_PER_BATCH, empty_columns

ETHERNET = 1
DIGITS = 9
MILLISECOND_NS = 1_000_000


class MemorySource:
    """A PacketSource of frames.

    `times_ns` are a millisecond apart from 0 unless given; `link_types` is one for all frames or
    one for each, with an interface for each different one; `originals` are lengths on the wire,
    -1 unknown, those of the frames unless given.
    """

    live = False
    waits = False
    damage = None
    anomalies: Sequence[str] = ()
    hosts: Mapping[tuple[int, int], str] = MappingProxyType({})

    def __init__(
        self,
        frames: Sequence[bytes],
        times_ns: Sequence[int] | None = None,
        *,
        link_types: int | Sequence[int] = ETHERNET,
        originals: Sequence[int] | None = None,
        batch_size: int = PACKETS_PER_BATCH,
    ) -> None:
        count = len(frames)
        if times_ns is None:
            times_ns = range(0, count * MILLISECOND_NS, MILLISECOND_NS)
        types = [link_types] * count if isinstance(link_types, int) else list(link_types)
        known = [link_types] if isinstance(link_types, int) else sorted(set(types))
        self.interfaces = [CaptureInterface(link_type, DIGITS) for link_type in known]
        self.ended = False
        self._batch_size = batch_size
        self._delivered = 0
        self._all = empty_columns(np.frombuffer(bytearray(b"".join(frames)), np.uint8), count)
        self._all.packet[:] = range(1, count + 1)
        self._all.time_ns[:] = times_ns
        self._all.captured[:] = [len(frame) for frame in frames]
        self._all.offset[:] = np.cumsum(self._all.captured) - self._all.captured
        self._all.original[:] = self._all.captured if originals is None else originals
        self._all.interface[:] = [known.index(link_type) for link_type in types]

    def read(self, timeout: float) -> PacketBatch | None:
        """See PacketSource."""
        first = self._delivered
        last = min(first + self._batch_size, len(self._all.packet))
        self._delivered = last
        self.ended = self.ended or last == len(self._all.packet)
        if first == last:
            return None
        return slice_packets(self._all, first, last)

    def drops(self) -> Drops | None:
        """See PacketSource: there are none to know of."""
        return None

    def close(self) -> None:
        """See PacketSource."""
        self.ended = True
