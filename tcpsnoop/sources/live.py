"""Packets from a network interface, as they come, through libpcap.

The reader does not block: `read` waits in `poll`, so that signals and stop times are honoured while
no packet comes. Times are in microseconds. The length on the wire does not come through pcapy-ng,
so that of a packet which fills the snap length is unknown.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pcapy
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch, first_packets
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.sources.activation import BLOCK_TIMEOUT_MS, open_reader
from tcpsnoop.sources.columns import empty_columns
from tcpsnoop.sources.devices import is_loopback
from tcpsnoop.sources.gathering import Gathering

DEFAULT_SNAPLEN = 262_144  # as tcpdump
DEFAULT_BUFFER_KIB = 16_384

# The most packets of a batch: enough that its fixed cost does not count, and few enough that the
# kernel's buffer does not fill while the stages after this one have it.
BATCH = 16_384
# Batches of large packets have fewer, as pcapy-ng keeps three copies of their bytes for a moment.
BATCH_BYTES = 8 * 1024 * 1024

# Link-layer numbers of this system (DLT_) that have another number in files (LINKTYPE_): those of
# libpcap's pcap-common.c that Linux can capture.
LINK_TYPES = {11: 100, 12: 101, 19: 106}

DIGITS = 6


class LiveSource:
    """A PacketSource of one interface, or of `any`; UsageError when it cannot be captured on.

    `filter_text` is a libpcap filter; the kernel applies it.
    """

    live = True
    waits = True
    hosts: Mapping[tuple[int, int], str] = MappingProxyType({})  # the resolver is asked

    def __init__(
        self,
        name: str,
        *,
        snaplen: int = DEFAULT_SNAPLEN,
        buffer_kib: int = DEFAULT_BUFFER_KIB,
        promiscuous: bool = True,
        filter_text: str = "",
    ) -> None:
        self._reader = open_reader(name, snaplen, buffer_kib, promiscuous)
        try:
            self._reader.setfilter(filter_text)
        except pcapy.PcapError as error:
            self._reader.close()
            raise UsageError(f"the filter is wrong: {error}") from error
        self._reader.setnonblock(1)
        self.ended = False
        self.damage: str | None = None
        link_type = self._reader.datalink()
        self.interfaces: Sequence[CaptureInterface] = (
            CaptureInterface(
                link_type=LINK_TYPES.get(link_type, link_type),
                digits=DIGITS,
                name=name,
                snaplen=snaplen,
                loopback=is_loopback(name),
            ),
        )
        self._index = _index_of(name)
        self._poll = select.poll()
        self._poll.register(self._reader.getfd(), select.POLLIN)
        self._gathering = Gathering(buffer_kib * 1024)
        self._columns = empty_columns(np.empty(BATCH_BYTES, np.uint8), BATCH)
        self._most = BATCH
        self._packets = 0
        self._downs = 0
        self._ends_at: float | None = None
        self._drops = Drops(0, 0)
        self._closed = False

    @property
    def anomalies(self) -> Sequence[str]:
        """See PacketSource."""
        name = self.interfaces[0].name
        return [f"{name} went down while capturing: {self._downs} times"] if self._downs else []

    def read(self, timeout: float) -> PacketBatch | None:
        """See PacketSource."""
        now = time.monotonic()
        deadline = now + timeout
        select.select((), (), (), min(timeout, self._gathering.pause(now)))
        while not self.ended:
            left = deadline - time.monotonic()
            if not self._poll.poll(max(0.0, left) * 1000):
                break
            batch = self._take()
            if batch is not None or left <= 0:
                return batch
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            self.ended = True
        return None

    def drops(self) -> Drops:
        """See PacketSource."""
        with contextlib.suppress(pcapy.PcapError):  # not every pseudo-device counts
            if not self._closed:
                _received, by_kernel, by_interface = self._reader.stats()
                self._drops = Drops(by_kernel, by_interface)
        return self._drops

    def close(self) -> None:
        """See PacketSource."""
        if not self._closed:
            self.drops()
            self._reader.close()
        self.ended = self._closed = True

    def _take(self) -> PacketBatch | None:
        """What the kernel has ready."""
        try:
            content, records = self._reader.next_batch(self._most)
        except pcapy.PcapError as error:
            self._note_failure(str(error))
            return None
        if not records:
            return None
        self._gathering.fetched(len(content), time.monotonic())
        # Seconds, microseconds, offset and captured length of each packet.
        fields = np.frombuffer(records, np.uint32).reshape(-1, 4)
        self._most = min(BATCH, max(1, BATCH_BYTES * len(fields) // max(1, len(content))))
        return self._batch_of(np.frombuffer(content, np.uint8), fields)

    def _batch_of(self, content: NDArray[np.uint8], fields: NDArray[np.uint32]) -> PacketBatch:
        count = len(fields)
        if len(content) > len(self._columns.data):
            self._columns = self._columns._replace(data=np.empty(len(content), np.uint8))
        # Kernels are compiled for arrays that can be written, so the bytes must be copied.
        self._columns.data[: len(content)] = content
        batch = first_packets(self._columns, count)
        batch.packet[:] = np.arange(self._packets + 1, self._packets + count + 1)
        batch.time_ns[:] = fields[:, 0]
        batch.time_ns[:] *= 1_000_000_000
        batch.time_ns[:] += fields[:, 1] * np.int64(1000)
        batch.offset[:] = fields[:, 2]
        batch.captured[:] = fields[:, 3]
        batch.original[:] = batch.captured
        batch.original[batch.captured >= self.interfaces[0].snaplen] = -1
        self._packets += count
        return batch

    def _note_failure(self, error: str) -> None:
        """An interface that is only down may come up again; anything else is the end."""
        name = self.interfaces[0].name
        if not _tells_of_interface(error):
            self.damage = f"capturing on {name} failed: {error}"
        elif self._index is not None and _index_of(name) == self._index:
            self._downs += 1
            return
        else:
            self.damage = f"interface {name} disappeared while capturing"
        # What came in the last moment is still handed over.
        self._ends_at = time.monotonic() + 2 * BLOCK_TIMEOUT_MS / 1000


def _index_of(name: str) -> int | None:
    """The number by which the kernel knows an interface, None when there is none."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def _tells_of_interface(error: str) -> bool:
    """Whether an error of libpcap is about the interface: it went down, or it disappeared."""
    return "interface" in error
