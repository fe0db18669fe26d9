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

import pcapy

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.sources.activation import BLOCK_TIMEOUT_MS, open_reader
from tcpsnoop.sources.devices import is_loopback
from tcpsnoop.sources.gathering import Gathering

DEFAULT_SNAPLEN = 262_144  # as tcpdump
DEFAULT_BUFFER_KIB = 16_384

# A batch is handed over so long after the one before, or when it is large.
GATHERING_SECONDS = 0.04

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
        self._gathering = Gathering(snaplen)
        self._due = 0.0  # when the next batch is
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
        deadline = time.monotonic() + timeout
        while not (self.ended or self._gathering.enough):
            until = min(deadline, self._due) if self._gathering else deadline
            left = until - time.monotonic()
            if not self._poll.poll(max(0.0, left) * 1000):
                break
            self._fetch()
            if left <= 0:
                break
        if self._gathering:
            self._due = time.monotonic() + GATHERING_SECONDS
            return self._gathering.batch()
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

    def _fetch(self) -> None:
        """Take what the kernel has ready."""
        try:
            content, records = self._reader.next_batch(self._gathering.room)
        except pcapy.PcapError as error:
            self._note_failure(str(error))
            return
        if records:
            self._gathering.add(content, records)

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
