"""What dissecting gave, in the words of the oracle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.batches.verdicts import Verdict
from tests.oracle import dissect
from tests.oracle_files import Packet

UNKNOWN_WINDOW, UNKNOWN_PAYLOAD = 65535, -1
NUMBERS = ("sequence", "acknowledgment", "flags", "window", "payload")

Observed = tuple[object, ...]
"""A verdict's label, then the segment's ends and numbers when it is `tcp`."""


def expectation(link_type: int, data: bytes, original: int) -> Observed:
    """What the oracle says of one frame; `original` -1: not known."""
    verdict, segment = dissect(link_type, data, None if original < 0 else original)
    if segment is None:
        return (verdict,)
    window = UNKNOWN_WINDOW if segment.window is None else segment.window
    payload = UNKNOWN_PAYLOAD if segment.payload is None else segment.payload
    return (verdict, *segment._replace(window=window, payload=payload))


def observations(count: int, segments: SegmentBatch, verdicts: NDArray[np.uint8]) -> list[Observed]:
    """The same for each frame of a batch that was dissected."""
    observed: list[Observed] = [(Verdict(int(verdict)).label,) for verdict in verdicts]
    assert len(observed) == count
    for row in segments:
        ends = (
            text_of(int(row["source_high"]), int(row["source_low"])),
            int(row["source_port"]),
            text_of(int(row["destination_high"]), int(row["destination_low"])),
            int(row["destination_port"]),
        )
        observed[row["frame"]] += (*ends, *(int(row[name]) for name in NUMBERS))
    return observed


def batch_and_interfaces(packets: list[Packet]) -> tuple[PacketBatch, list[CaptureInterface]]:
    """The packets of a file as a batch; an interface for each link type."""
    kinds = sorted({packet.link_type for packet in packets})
    sizes = np.array([len(packet.data) for packet in packets], np.int64)
    batch = PacketBatch(
        np.frombuffer(b"".join(packet.data for packet in packets), np.uint8),
        np.arange(1, len(packets) + 1, dtype=np.int64),
        np.zeros(len(packets), np.int64),
        np.zeros(len(packets), np.int64),
        (np.cumsum(sizes) - sizes).astype(np.int64),
        sizes,
        np.array([packet.original for packet in packets], np.int64),
        np.array([kinds.index(packet.link_type) for packet in packets], np.int32),
        np.array([packet.direction for packet in packets], np.uint8),
    )
    return batch, [CaptureInterface(kind) for kind in kinds]
