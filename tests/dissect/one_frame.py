"""A frame in, its verdict and segment out: what the tests of each layer are written with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.batches.verdicts import Verdict

ETHERNET = 1
CANARY = b"\xa5"
"""What stands before, between and behind the frames: no test may see it in a segment."""
GAP = 80


@dataclass(frozen=True)
class Outcome:
    """What dissecting one frame gave; `segments` has one row or none."""

    verdict: Verdict
    segments: SegmentBatch
    clipped: int

    def __getitem__(self, field: str) -> int:
        """A field of the only segment."""
        assert self.verdict == Verdict.TCP, self.verdict.label
        return int(self.segments[field][0])

    @property
    def ends(self) -> tuple[str, int, str, int]:
        """Source and destination of the only segment: addresses as text, ports."""
        return (
            text_of(self["source_high"], self["source_low"]),
            self["source_port"],
            text_of(self["destination_high"], self["destination_low"]),
            self["destination_port"],
        )


def batch_of(
    frames: Sequence[bytes],
    *,
    originals: Sequence[int] | None = None,
    interfaces: Sequence[int] | None = None,
    directions: Sequence[int] | None = None,
    canary: bytes = CANARY,
) -> PacketBatch:
    """The frames as a batch, numbered from 1, a second apart, GAP canaries around each."""
    count = len(frames)
    gap = canary * GAP
    captured = np.array([len(frame) for frame in frames], np.int64)
    starts = np.cumsum(captured + GAP) - captured
    wire = [len(frame) for frame in frames] if originals is None else list(originals)
    return PacketBatch(
        np.frombuffer(gap + b"".join(frame + gap for frame in frames), np.uint8),
        np.arange(1, count + 1, dtype=np.int64),
        np.arange(count, dtype=np.int64) * 10**9,
        np.arange(count, dtype=np.int64) * 10**9,
        starts.astype(np.int64),
        captured,
        np.array(wire, np.int64),
        np.array(interfaces or [0] * count, np.int32),
        np.array(directions or [0] * count, np.uint8),
    )


class DissectOne:
    """Dissects single frames with one build of the package."""

    def __init__(self, package: ModuleType) -> None:
        self.package = package

    def __call__(
        self,
        frame: bytes,
        link_type: int = ETHERNET,
        *,
        original: int | None = None,
        direction: int = 0,
        loopback: bool = False,
    ) -> Outcome:
        """`original`: bytes on the wire; None is the whole frame, -1 not known."""
        dissector = self.package.Dissector(1)
        wire = len(frame) if original is None else original
        batch = batch_of([frame], originals=[wire], directions=[direction])
        interface = CaptureInterface(link_type, loopback=loopback)
        segments, verdicts = dissector.dissect(batch, [interface])
        assert len(segments) == (verdicts[0] == Verdict.TCP)
        return Outcome(Verdict(int(verdicts[0])), segments, dissector.clipped)
