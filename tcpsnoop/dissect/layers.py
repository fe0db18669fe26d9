"""Frames, layer by layer: link, IP, the tunnels it may carry, TCP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.flows import flow_of
from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.batches.verdicts import ICMP_ERROR, NOT_IP, TCP, UNSUPPORTED_LINK_TYPE
from tcpsnoop.dissect.ip import open_ip
from tcpsnoop.dissect.kernel_arguments import InterfaceTable
from tcpsnoop.dissect.link import follow, open_link
from tcpsnoop.dissect.numbers import IPV4, IPV6, TCP_PROTOCOL
from tcpsnoop.dissect.options import read_options
from tcpsnoop.dissect.origin import origin
from tcpsnoop.dissect.tcp import Counters, write_segment
from tcpsnoop.dissect.tunnels import innermost
from tcpsnoop.kernel import Integer, kernel

_LARGEST = 2**31 - 1  # what int32 columns hold

# What can be asked for beside segments.
OPTIONS = 0x01  # what TCP options say
QUOTES = 0x02  # segments that ICMP errors quote


@kernel
def dissect_batch(
    batch: PacketBatch,
    interfaces: InterfaceTable,
    out: SegmentBatch,
    verdicts: NDArray[np.uint8],
    counters: Counters,
    asked: Integer,
    keys: NDArray[np.int64],
) -> Integer:
    """Write a row of `out` for each segment and a verdict for each packet; the number of rows.

    `asked` has the bits OPTIONS and QUOTES of what else is wanted, `keys` are the `flow_keys`.
    """
    segments = 0
    for frame_number in range(len(batch.offset)):
        segment = out[segments]
        start = max(batch.offset[frame_number], 0)
        frame = batch.data[start : start + max(batch.captured[frame_number], 0)]
        interface = np.int64(batch.interface[frame_number])
        if not 0 <= interface < len(interfaces.link_type):
            verdicts[frame_number] = UNSUPPORTED_LINK_TYPE
            continue
        link_type = interfaces.link_type[interface]
        # What begins must end by `limit`. The rare ways through the layers are calls from here, and
        # from nowhere else: each caller of a kernel compiles all of it once more.
        limit = batch.original[frame_number]
        kind, at = open_link(frame, link_type)
        if kind != IPV4 and kind >= 0:
            kind, at, limit = follow(frame, kind, at, limit)
        if kind != IPV4 and kind != IPV6:
            verdicts[frame_number] = NOT_IP if kind >= 0 else ~kind
            continue
        tunnel = 0
        protocol, at, end = open_ip(frame, at, kind, limit, segment)
        if protocol != TCP_PROTOCOL and protocol >= 0:
            protocol, at, end, limit, tunnel = innermost(
                frame, protocol, at, end, kind, limit, segment
            )
        verdict = ~protocol
        if protocol == TCP_PROTOCOL:
            verdict = write_segment(frame, at, end, limit, segment, counters)
        verdicts[frame_number] = verdict
        if verdict != TCP and (verdict != ICMP_ERROR or asked & QUOTES == 0):
            continue
        if verdict == TCP and asked & OPTIONS != 0:
            read_options(frame, segment)
        segment["side"], segment["path"] = origin(
            frame,
            link_type,
            interface,
            interfaces.loopback[interface],
            batch.direction[frame_number],
            tunnel,
        )
        segment["flow"] = flow_of(segment, keys)
        segment["packet"] = batch.packet[frame_number]
        segment["time_ns"] = batch.time_ns[frame_number]
        segment["clock_ns"] = batch.clock_ns[frame_number]
        segment["frame_bytes"] = min(batch.original[frame_number], _LARGEST)
        segment["interface"] = interface
        segment["frame"] = frame_number
        segment["digits"] = interfaces.digits[interface]
        segments += 1
    return segments
