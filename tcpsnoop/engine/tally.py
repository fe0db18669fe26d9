"""What became of the packets: counts that the notes tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.verdicts import Verdict


@dataclass
class Tally:
    """Counts of one run; `verdicts` are of the packets that passed the filter."""

    packets: int = 0
    passed: int = 0
    tagged: bool = False  # the filter rejected packets with VLAN tags
    unfilterable: int = 0  # of a link type that libpcap cannot filter: they do not pass
    verdicts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Verdict), np.int64))
    unsupported: Counter[int] = field(default_factory=Counter)  # link types

    def count(
        self,
        verdicts: NDArray[np.uint8],
        batch: PacketBatch,
        interfaces: Sequence[CaptureInterface],
    ) -> None:
        """Take in the verdicts of a batch."""
        counts = np.bincount(verdicts, minlength=len(Verdict))
        self.verdicts += counts[: len(Verdict)]
        if counts[Verdict.UNSUPPORTED_LINK_TYPE]:
            of = batch.interface[verdicts == Verdict.UNSUPPORTED_LINK_TYPE]
            for interface, count in zip(*np.unique(of, return_counts=True), strict=True):
                self.unsupported[interfaces[interface].link_type] += int(count)
