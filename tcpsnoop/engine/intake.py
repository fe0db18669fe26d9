"""From the source to segments: read, stop where the user said, filter, dissect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import PacketBatch, first_packets, take_packets
from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.dissect.outermost import carries_more
from tcpsnoop.engine.clock import CaptureClock
from tcpsnoop.engine.tally import Tally
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.bpf import compile_filter
from tcpsnoop.sources.bpf_machine import run_filter
from tcpsnoop.sources.bpf_program import FilterProgram

# Room for the largest batch a source gives; it grows if need be.
BATCH_PACKETS = 1 << 15


@dataclass(frozen=True)
class Intaken:
    """Segments of one batch; valid until their dissector is used again."""

    segments: SegmentBatch
    packets: PacketBatch | None  # only where frames were asked for
    dissector: Dissector
    first_ns: int  # capture time of the input's first packet
    interfaces: int  # how many of the source's interfaces were met by then


class Intake:
    """Reads a source step by step. It is used by one thread at a time.

    `expression` is a libpcap filter to run here (live, the kernel has run it already); `count` and
    `duration_ns` are the stop rules of `-c` and, in capture time, of `-d`.
    """

    def __init__(
        self,
        source: PacketSource,
        expression: str = "",
        count: int | None = None,
        duration_ns: int | None = None,
        keep_frames: bool = False,
    ) -> None:
        self.source = source
        self.tally = Tally()
        self.clock = CaptureClock()
        self.stopped = False
        self._expression = expression
        self._programs: dict[int, FilterProgram | None] = {}
        self._left = count
        self._duration_ns = duration_ns
        self._keep_frames = keep_frames

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return self.stopped or self.source.ended

    def step(self, dissector: Dissector, timeout: float) -> Intaken | None:
        """The segments of the next packets; None when none came in time."""
        packets = None if self.ended else self.source.read(timeout)
        if packets is None:
            return None
        self.clock.stamp(packets)
        first_ns = self.clock.first_ns or 0
        if self._duration_ns is not None:
            packets = self._until(packets, first_ns + self._duration_ns)
        read = len(packets.packet)
        if self._expression:
            answer = self._filter(packets)
            self._look_for_tags(packets, answer)
            passed = np.flatnonzero(answer)
            if self._left is not None and len(passed) >= self._left:
                # What follows the last one that counts was not looked at.
                read = int(passed[self._left - 1]) + 1
            packets = take_packets(packets, passed)
        if self._left is not None:
            packets = first_packets(packets, self._left)
            read = read if self._expression else len(packets.packet)
            self._left -= len(packets.packet)
            self.stopped = self.stopped or self._left == 0
        self.tally.packets += read
        self.tally.passed += len(packets.packet)
        interfaces = self.source.interfaces
        segments, verdicts = dissector.dissect(packets, interfaces)
        self.tally.count(verdicts, packets, interfaces)
        kept = packets if self._keep_frames else None
        return Intaken(segments, kept, dissector, first_ns, len(interfaces))

    def _until(self, packets: PacketBatch, end_ns: int) -> PacketBatch:
        """Those before the end of the duration."""
        late = np.flatnonzero(packets.clock_ns >= end_ns)
        if len(late) == 0:
            return packets
        self.stopped = True
        return first_packets(packets, int(late[0]))

    def _look_for_tags(self, packets: PacketBatch, passed: NDArray[np.bool_]) -> None:
        """Notice tags and tunnels that a filter may not have looked behind."""
        if self.tally.tagged or passed.all():
            return
        link_types = np.array([each.link_type for each in self.source.interfaces], np.int64)
        self.tally.tagged = carries_more(packets, link_types, ~passed)

    def _filter(self, packets: PacketBatch) -> NDArray[np.bool_]:
        """Which packets the expression lets pass; the program depends on the link type."""
        interfaces = self.source.interfaces
        passed = np.zeros(len(packets.packet), np.bool_)
        for number in np.unique(packets.interface):
            link_type = interfaces[number].link_type
            if link_type not in self._programs:
                self._programs[link_type] = compile_filter(self._expression, link_type)
            program = self._programs[link_type]
            chosen = packets.interface == number
            if program is None:
                self.tally.unfilterable += int(np.count_nonzero(chosen))
                continue
            part = packets if chosen.all() else take_packets(packets, chosen)
            answer = np.zeros(len(part.packet), np.bool_)
            run_filter(
                program.code,
                program.jt,
                program.jf,
                program.k,
                part.data,
                part.offset,
                part.captured,
                part.original,
                answer,
            )
            passed[chosen] = answer
        return passed
