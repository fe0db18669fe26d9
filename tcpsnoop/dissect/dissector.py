"""Packets → segments: link, IP, TCP, one after the other, and a verdict for every packet.

Read this first, then layers.py, which asks link.py, ip.py and tcp.py in turn. A frame is the
captured bytes of one packet, shape (captured,), a slice of its batch's data: what is read from it
is the packet's own. A layer takes the frame and an offset, and answers what comes next and where,
or, as a negative number, the complement of the verdict that ends it. It writes what it knows into
the next free row of the segments: a packet that turns out to be none leaves that to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.batches.verdicts import TCP, UNSUPPORTED_LINK_TYPE
from tcpsnoop.dissect.kernel_arguments import InterfaceTable, read_only, tabulate_interfaces
from tcpsnoop.dissect.layers import dissect_frame
from tcpsnoop.dissect.options import read_options
from tcpsnoop.dissect.origin import origin
from tcpsnoop.dissect.tcp import CLIPPED, COUNTERS, Counters
from tcpsnoop.kernel import Integer, kernel

_LARGEST = 2**31 - 1  # what int32 columns hold


class Dissector:
    """Dissects batch after batch into room of its own; threads have one each.

    `options` asks for what TCP options say.
    """

    def __init__(self, capacity: int, *, options: bool = False) -> None:
        self._options = int(options)
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
            read_only(batch),
            self._interfaces,
            self._room,
            self._verdicts,
            self._counters,
            self._options,
        )
        return self._room[:segments], self._verdicts[:count]


@kernel
def _dissect_batch(
    batch: PacketBatch,
    interfaces: InterfaceTable,
    out: SegmentBatch,
    verdicts: NDArray[np.uint8],
    counters: Counters,
    options: Integer,
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
        verdict = dissect_frame(frame, link_type, original, segment, counters)
        verdicts[frame_number] = verdict
        if verdict != TCP:
            continue
        if options != 0:
            read_options(frame, segment)
        segment["packet"] = batch.packet[frame_number]
        segment["time_ns"] = batch.time_ns[frame_number]
        segment["clock_ns"] = batch.clock_ns[frame_number]
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
