"""Packets → segments: link, IP, TCP, one after the other, and a verdict for every packet.

Read this first. Link types are in link.py, IP in ip.py, TCP in tcp.py, the places of fields in
fields.py. A layer takes the frame and an offset and answers what comes next and where, or, as a
negative number, the complement of the verdict that ends it. A layer writes its fields in place, in
the next free row: a packet that turns out to be no segment leaves it to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.batches.verdicts import NOT_IP, TCP, UNSUPPORTED_LINK_TYPE
from tcpsnoop.dissect.fields import Bytes
from tcpsnoop.dissect.icmp import verdict_on_other
from tcpsnoop.dissect.interface_table import InterfaceTable, tabulate_interfaces
from tcpsnoop.dissect.ip import TCP_PROTOCOL, open_ip
from tcpsnoop.dissect.link import IPV4, IPV6, open_link
from tcpsnoop.dissect.origin import origin
from tcpsnoop.dissect.tcp import CLIPPED, COUNTERS, Counters, write_segment
from tcpsnoop.kernel import Integer, Row, inlined, kernel

_LARGEST = 2**31 - 1  # what int32 columns hold


class Dissector:
    """Dissects batch after batch into room of its own; threads have one each."""

    def __init__(self, capacity: int) -> None:
        self._room = np.empty(capacity, SEGMENT)  # shape (capacity,), like the verdicts
        self._verdicts = np.empty(capacity, np.uint8)
        self._counters = np.zeros(COUNTERS, np.int64)
        self._listed: Sequence[CaptureInterface] = ()
        self._interfaces = tabulate_interfaces(())

    @property
    def clipped(self) -> int:
        """Segments so far whose IP header declares more than their frame had on the wire."""
        return int(self._counters[CLIPPED])

    def dissect(
        self, batch: PacketBatch, interfaces: Sequence[CaptureInterface]
    ) -> tuple[SegmentBatch, NDArray[np.uint8]]:
        """The segments of n packets, and for each packet its Verdict, shape (n,).

        Both are views that the next call overwrites. `interfaces` are those of the batch's source,
        which only grow; room grows to the largest batch.
        """
        count = len(batch.offset)
        if count > len(self._verdicts):
            self._room, self._verdicts = np.empty(count, SEGMENT), np.empty(count, np.uint8)
        if interfaces is not self._listed or len(interfaces) != len(self._interfaces.link_type):
            self._listed, self._interfaces = interfaces, tabulate_interfaces(interfaces)
        segments = _dissect_batch(
            _read_only(batch), self._interfaces, self._room, self._verdicts, self._counters
        )
        return self._room[:segments], self._verdicts[:count]


def _read_only(batch: PacketBatch) -> PacketBatch:
    """The batch as views of one type: sources lend bytes that may be written, or may not."""
    columns: list[Any] = [np.ascontiguousarray(column).view() for column in batch]
    for column in columns:
        column.flags.writeable = False
    return PacketBatch(*columns)


@kernel
def _dissect_batch(
    batch: PacketBatch,
    interfaces: InterfaceTable,
    out: SegmentBatch,
    verdicts: NDArray[np.uint8],
    counters: Counters,
) -> Integer:
    """Write a row of `out` for each segment and a verdict for each packet; the number of rows."""
    segments = 0
    for frame_number in range(len(batch.offset)):
        segment = out[segments]
        start = max(batch.offset[frame_number], 0)
        frame = batch.data[start : start + max(batch.captured[frame_number], 0)]
        interface = np.int64(batch.interface[frame_number])
        original = batch.original[frame_number]
        if not 0 <= interface < len(interfaces.link_type):
            verdicts[frame_number] = UNSUPPORTED_LINK_TYPE
            continue
        link_type = interfaces.link_type[interface]
        verdict = _dissect_frame(frame, link_type, original, segment, counters)
        verdicts[frame_number] = verdict
        if verdict != TCP:
            continue
        segment["packet"] = batch.packet[frame_number]
        segment["time_ns"] = batch.time_ns[frame_number]
        segment["frame_bytes"] = min(original, _LARGEST)
        segment["interface"] = interface
        segment["frame"] = frame_number
        segment["digits"] = interfaces.digits[interface]
        segment["side"], segment["path"] = origin(
            frame,
            link_type,
            interface,
            interfaces.loopback[interface],
            batch.direction[frame_number],
        )
        segments += 1
    return segments


@inlined
def _dissect_frame(
    frame: Bytes,
    link_type: Integer,
    original: Integer,
    segment: Row,
    counters: Counters,
) -> Integer:
    """The verdict on one frame; `segment` gets its innermost IP layer and its TCP."""
    ether_type, at = open_link(frame, link_type)
    # A tunnel goes on from here: what it carries begins with an EtherType, an offset and an end.
    if ether_type < 0:
        return ~ether_type
    if ether_type != IPV4 and ether_type != IPV6:
        return NOT_IP
    protocol, at, end = open_ip(frame, at, ether_type, original, segment)
    if protocol < 0:
        return ~protocol
    if protocol == TCP_PROTOCOL:
        return write_segment(frame, at, end, original, segment, counters)
    return verdict_on_other(frame, at, protocol, ether_type, segment)
