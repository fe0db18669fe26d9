"""One of several inputs that are merged: what is in hand of it, and how far it reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch, slice_packets
from tcpsnoop.interfaces.source import PacketSource

# A key is the largest time of an input so far, so the keys of an input never fall; packets of equal
# keys are told apart by the rank of their input.
Place = tuple[int, int]

_BEFORE_ALL_TIMES = -(1 << 63)


class MergeInput:
    """An input, the batch in hand, and the keys of its packets.

    While it is parked it is closed: its first packet is known, its time has not come.
    """

    def __init__(self, file: int, opener: Callable[[], PacketSource]) -> None:
        self.file = file
        self.rank = -1
        self.source = opener()
        self.parked = False
        self.names = 0  # of hosts, that were taken over from it
        self.first_key: int | None = None
        self._opener = opener
        self._batch: PacketBatch | None = None
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)
        self._start = 0
        self._latest = _BEFORE_ALL_TIMES
        self._numbers: list[int] = []

    @property
    def left(self) -> int:
        """Packets in hand."""
        return len(self._keys) - self._start

    def peek(self, deadline: float) -> bool:
        """Know the first packet's time, or that there is none; False when it has not come yet."""
        if self.parked or self.first_key is not None:
            return True
        if not self.refill(deadline):
            return False
        if self.left > 0:
            self.first_key = int(self._keys[0])
            if not self.source.waits:
                self._let_go()
                self.parked = True
        return True

    def unpark(self) -> None:
        """Open it again from the beginning."""
        self.source = self._opener()
        self.parked = False
        self._latest = _BEFORE_ALL_TIMES

    def refill(self, deadline: float) -> bool:
        """Have packets in hand or be at the end; False when none have come yet."""
        while self.left == 0 and not self.source.ended:
            batch = self.source.read(max(0.0, deadline - time.monotonic()))
            if batch is not None:
                self._batch, self._start = batch, 0
                self._keys = np.maximum.accumulate(batch.time_ns)
                np.maximum(self._keys, self._latest, out=self._keys)
                self._latest = int(self._keys[-1])
            elif not self.source.ended:
                return False
        if self.left == 0:
            self._let_go()
        return True

    def first_place(self) -> Place:
        """Of its first packet."""
        assert self.first_key is not None
        return self.first_key, self.rank

    def reach(self, count: int) -> Place:
        """Of the last of the next `count` packets in hand."""
        return int(self._keys[self._start + min(count, self.left) - 1]), self.rank

    def take(
        self, until: Place, most: int, interfaces: list[CaptureInterface]
    ) -> tuple[PacketBatch, NDArray[np.int64]]:
        """At most `most` packets up to a place, with their keys.

        Their interfaces are numbered among `interfaces`, to which new ones are added.
        """
        assert self._batch is not None
        key, rank = until
        window = self._keys[self._start : self._start + most]
        if self.rank <= rank:
            count = np.searchsorted(window, key, side="right")
        else:
            count = np.searchsorted(window, key, side="left")
        start, self._start = self._start, self._start + int(count)
        for interface in self.source.interfaces[len(self._numbers) :]:
            self._numbers.append(len(interfaces))
            interfaces.append(interface)
        batch = slice_packets(self._batch, start, self._start)
        numbers = np.array(self._numbers, np.int32)
        return batch._replace(interface=numbers[batch.interface]), self._keys[start : self._start]

    def _let_go(self) -> None:
        """Give back file and memory."""
        self.source.close()
        self._batch, self._keys, self._start = None, np.empty(0, np.int64), 0
