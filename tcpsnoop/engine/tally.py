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
    """Counts of one run."""

    packets: int = 0
    passed: int = 0
    tagged: bool = False  # the filter rejected packets with tags or in tunnels
    unfilterable: int = 0  # of a link type that libpcap cannot filter: they do not pass
    kinds: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Packets by verdict and link type, of those that passed the filter."""

    @property
    def verdicts(self) -> Counter[int]:
        """Packets by verdict."""
        counts: Counter[int] = Counter()
        for (verdict, _), count in self.kinds.items():
            counts[verdict] += count
        return counts

    @property
    def unsupported(self) -> Counter[int]:
        """Packets that were not dissected, by link type."""
        none = Verdict.UNSUPPORTED_LINK_TYPE
        return Counter({link: n for (verdict, link), n in self.kinds.items() if verdict == none})

    def count(
        self,
        verdicts: NDArray[np.uint8],
        batch: PacketBatch,
        interfaces: Sequence[CaptureInterface],
    ) -> None:
        """Take in the verdicts of a batch."""
        interface = batch.interface
        if len(interfaces) == 1:
            # Nearly all are TCP nearly always: a look at bytes, where counting widens each, and a
            # comparison with an enum does.
            others = verdicts != int(Verdict.TCP)
            segments = len(verdicts) - int(np.count_nonzero(others))
            if segments > 0:
                self.kinds[int(Verdict.TCP), interfaces[0].link_type] += segments
            if segments == len(verdicts):
                return
            verdicts, interface = verdicts[others], interface[others]
        kinds = len(Verdict)
        counts = np.bincount(interface.astype(np.int64) * kinds + verdicts)
        for place in np.flatnonzero(counts).tolist():
            number, verdict = divmod(place, kinds)
            self.kinds[verdict, interfaces[number].link_type] += int(counts[place])
