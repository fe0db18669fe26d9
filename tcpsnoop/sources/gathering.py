"""Packets of an interface gather to a batch: what they are fetched in is smaller the more they are.

At some ten thousand packets a second the kernel hands them over by the hundred. Each batch has a
cost, whatever is in it; so what was fetched is put together, until it is worth that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import PacketBatch, first_packets
from tcpsnoop.sources.columns import empty_columns

# The most packets of a batch: enough that its fixed cost does not count, and few enough that the
# kernel's buffer does not fill while the stages after this one have it.
BATCH = 16_384
# Batches of large packets have fewer, as pcapy-ng keeps three copies of their bytes for a moment.
BATCH_BYTES = 8 * 1024 * 1024


class Gathering:
    """The batch that is being made; `snaplen` is the length at which packets were cut."""

    def __init__(self, snaplen: int) -> None:
        self._snaplen = snaplen
        self._columns = empty_columns(np.empty(BATCH_BYTES, np.uint8), BATCH)
        self._count = 0
        self._size = 0  # bytes of the packets
        self._packets = 0  # handed over
        self._share = 1 / BATCH  # of a batch, that one packet took on average

    def __len__(self) -> int:
        return self._count

    @property
    def enough(self) -> bool:
        """Whether it is a batch that had better be handed over."""
        return 2 * self._count >= BATCH or 2 * self._size >= BATCH_BYTES

    @property
    def room(self) -> int:
        """How many more packets there is room for, if they are like the last ones."""
        left = 1 - max(self._count / BATCH, self._size / BATCH_BYTES)
        return max(1, int(left / self._share))

    def add(self, content: bytes, records: bytes) -> None:
        """Packets as pcapy-ng fetches them, at most `room` of them."""
        # Seconds, microseconds, offset and captured length of each packet.
        fields = np.frombuffer(records, np.uint32).reshape(-1, 4)
        first, end = self._count, self._count + len(fields)
        begin, stop = self._size, self._size + len(content)
        self._share = max(1 / BATCH, len(content) / len(fields) / BATCH_BYTES)
        if stop > len(self._columns.data):
            more = np.empty(2 * stop, np.uint8)
            more[:begin] = self._columns.data[:begin]
            self._columns = self._columns._replace(data=more)
        # Kernels are compiled for arrays that can be written, so the bytes must be copied.
        self._columns.data[begin:stop] = np.frombuffer(content, np.uint8)
        self._columns.time_ns[first:end] = _nanoseconds(fields)
        self._columns.offset[first:end] = fields[:, 2]
        self._columns.offset[first:end] += begin
        self._columns.captured[first:end] = fields[:, 3]
        self._count, self._size = end, stop

    def batch(self) -> PacketBatch:
        """What has gathered; it is overwritten when more is added."""
        batch = first_packets(self._columns, self._count)
        batch.packet[:] = np.arange(self._packets + 1, self._packets + self._count + 1)
        batch.original[:] = batch.captured
        batch.original[batch.captured >= self._snaplen] = -1
        self._packets += self._count
        self._count = self._size = 0
        return batch


def _nanoseconds(fields: NDArray[np.uint32]) -> NDArray[np.int64]:
    return fields[:, 0].astype(np.int64) * 1_000_000_000 + fields[:, 1] * np.int64(1000)
