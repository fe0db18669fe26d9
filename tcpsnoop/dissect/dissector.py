"""Packets → segments: link, IP, TCP, one after the other, and a verdict for every packet.

Read this first, then layers.py, which asks link.py, ip.py, tunnels.py and tcp.py in turn. A frame
is the captured bytes of one packet, shape (captured,), a slice of its batch's data: what is read
from it is the packet's own. A layer takes the frame and an offset, and answers what comes next and
where, or, as a negative number, the complement of the verdict that ends it. It writes what it knows
into the next free row of the segments: a packet that turns out to be none leaves that to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.flows import flow_keys
from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.dissect.kernel_arguments import read_only, tabulate_interfaces
from tcpsnoop.dissect.layers import OPTIONS, QUOTES, dissect_batch
from tcpsnoop.dissect.tcp import CLIPPED, COUNTERS


class Dissector:
    """Dissects batch after batch into room of its own; threads have one each.

    `options` asks for what TCP options say, `quotes` for a row, marked QUOTE, for each segment that
    an ICMP error quotes.
    """

    def __init__(self, capacity: int, *, options: bool = False, quotes: bool = False) -> None:
        self._asked = (OPTIONS if options else 0) | (QUOTES if quotes else 0)
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
        segments = dissect_batch(
            read_only(batch),
            self._interfaces,
            self._room,
            self._verdicts,
            self._counters,
            self._asked,
            flow_keys(),
        )
        return self._room[:segments], self._verdicts[:count]
