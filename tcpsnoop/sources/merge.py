"""Several inputs as one: packet by packet in the order of their times.

The order within an input is never changed: a packet that is older than one before it in its file
counts as being of that one's time. Packets of the same time come in the order of the inputs' first
packets. So the result is that of taking, again and again, the input whose next packet is earliest,
whatever the batches are. Memory grows with the inputs that overlap in time and not with all: a
file is closed again after a look at its first packet, until its time has come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch, first_packets
from tcpsnoop.interfaces.source import Drops, PacketSource
from tcpsnoop.sources.columns import empty_columns
from tcpsnoop.sources.merge_input import MergeInput

# Smaller than of a single file, as the bytes of all packets are copied into one buffer.
PACKETS_PER_BATCH = 16_384

# For openers: all inputs that overlap are open at once, and a larger read buffer reads no faster.
CAPACITY = 1024 * 1024


class MergedSource:
    """A PacketSource of several, each made by one of `openers` (again after it was closed).

    Interfaces are renumbered and keep the file that their opener gave them; packet numbers start
    anew in each input.
    """

    live = False

    def __init__(
        self,
        openers: Sequence[Callable[[], PacketSource]],
        *,
        batch_size: int = PACKETS_PER_BATCH,
    ) -> None:
        self.ended = False
        self.interfaces: list[CaptureInterface] = []
        self.hosts: dict[tuple[int, int], str] = {}
        self._batch_size = max(batch_size, len(openers))
        self._room = empty_columns(np.empty(0, np.uint8), self._batch_size)
        self._inputs: list[MergeInput] = []
        self._ranked: list[MergeInput] | None = None
        try:
            for file, opener in enumerate(openers):
                self._inputs.append(MergeInput(file, opener))
                if not self._inputs[-1].source.waits:
                    self._inputs[-1].peek(0.0)
        except BaseException:
            self.close()
            raise
        self.waits = any(one.source.waits for one in self._inputs)

    @property
    def damage(self) -> str | None:
        """See PacketSource: of every input that is damaged."""
        return "; ".join(one.source.damage for one in self._begun() if one.source.damage) or None

    @property
    def anomalies(self) -> Sequence[str]:
        """See PacketSource."""
        return [line for one in self._begun() for line in one.source.anomalies]

    def read(self, timeout: float) -> PacketBatch | None:
        """See PacketSource."""
        deadline = time.monotonic() + timeout
        if self.ended or not self._rank(deadline):
            return None
        active = self._activate(deadline)
        self._learn_hosts()
        if active is None:
            return None
        if not active:
            self.ended = True
            return None
        return self._merge(active)

    def drops(self) -> Drops | None:
        """See PacketSource: files do not tell."""
        return None

    def close(self) -> None:
        """See PacketSource."""
        self.ended = True
        for one in self._inputs:
            one.source.close()

    def _begun(self) -> Iterator[MergeInput]:
        """Those of which more is read than the first packet."""
        return (one for one in self._inputs if not one.parked)

    def _rank(self, deadline: float) -> bool:
        """Order the inputs by their first packets; False when one has not come yet."""
        if self._ranked is None and all(one.peek(deadline) for one in self._inputs):
            found = [(one.first_key, one.file) for one in self._inputs if one.first_key is not None]
            self._ranked = [self._inputs[file] for _key, file in sorted(found)]
            for rank, one in enumerate(self._ranked):
                one.rank = rank
        return self._ranked is not None

    def _activate(self, deadline: float) -> list[MergeInput] | None:
        """The inputs that the next packets come from, with packets in hand; None: wait."""
        ranked = self._ranked or []
        while all(one.refill(deadline) for one in ranked if not one.parked):
            active = [one for one in ranked if not one.parked and one.left > 0]
            parked = next((one for one in ranked if one.parked), None)
            if parked is None or (active and self._horizon(active) < parked.first_place()):
                return active
            parked.unpark()
        return None

    def _learn_hosts(self) -> None:
        """Names that the inputs recorded since the last time; the first of an address counts."""
        for one in self._inputs:
            if len(one.source.hosts) > one.names:
                one.names = len(one.source.hosts)
                self.hosts |= {**one.source.hosts, **self.hosts}

    def _window(self, active: Sequence[MergeInput]) -> int:
        return self._batch_size // len(active)

    def _horizon(self, active: Sequence[MergeInput]) -> tuple[int, int]:
        """The place up to which every packet is in hand, and not too many for a batch."""
        return min(one.reach(self._window(active)) for one in active)

    def _merge(self, active: Sequence[MergeInput]) -> PacketBatch:
        """All packets up to the horizon, in order."""
        horizon, window = self._horizon(active), self._window(active)
        taken = [one.take(horizon, window, self.interfaces) for one in active]
        parts = [(batch, keys) for batch, keys in taken if len(keys) > 0]
        if len(parts) == 1:
            return parts[0][0]
        # The inputs are in the order of their ranks, and the sort is stable.
        order = np.argsort(np.concatenate([keys for _batch, keys in parts]), kind="stable")
        return self._join([batch for batch, _keys in parts], order)

    def _join(self, parts: Sequence[PacketBatch], order: NDArray[np.int64]) -> PacketBatch:
        """The packets of several batches in the given order, with copies of their bytes."""
        starts = [int(part.offset.min()) for part in parts]
        ends = [int((part.offset + part.captured).max()) for part in parts]
        sizes = [end - start for start, end in zip(starts, ends, strict=True)]
        if sum(sizes) > len(self._room.data):
            self._room = self._room._replace(data=np.empty(sum(sizes), np.uint8))
        joined = first_packets(self._room, len(order))
        for name in PacketBatch._fields[1:]:
            column = np.concatenate([getattr(part, name) for part in parts])
            getattr(joined, name)[:] = column[order]
        moved, at = [], 0
        for part, start, size in zip(parts, starts, sizes, strict=True):
            joined.data[at : at + size] = part.data[start : start + size]
            moved.append(np.full(len(part.offset), at - start))
            at += size
        joined.offset[:] += np.concatenate(moved)[order]
        return joined
