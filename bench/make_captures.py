"""Makes captures by name: `python -m bench.make_captures FOLDER NAME…`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from bench.frames import write_pcap
from bench.traffic import CHAT, DOWNLOAD, Packets, conversations, held_open

CONCURRENT = 5000
WHOLE_FRAME = 262_144


def make(folder: Path, name: str) -> None:
    """Write the capture `small|full|snap96-PLANNED-COUNT` or `in|outbound-CONNECTIONS-EACH`."""
    kind, first, second = name.split("-")
    snap_length = 96 if kind == "snap96" else WHOLE_FRAME
    if kind in ("inbound", "outbound"):
        packets = held_open(int(first), int(second), inbound=kind == "inbound")
    else:
        packets = _conversations(kind == "small", int(first)).part(slice(int(second)))
    unfinished = folder / f"{name}.{os.getpid()}.part"
    write_pcap(unfinished, packets, snap_length)
    unfinished.rename(folder / f"{name}.pcap")


@lru_cache(maxsize=1)
def _conversations(small: bool, count: int) -> Packets:
    concurrent = min(CONCURRENT, count // 200)
    if small:
        return conversations(count, concurrent, CHAT, mean_packets=40)
    return conversations(count, concurrent, DOWNLOAD, mean_packets=180)


def main(arguments: Sequence[str]) -> None:
    """Make each named capture in the folder."""
    os.nice(10)
    folder = Path(arguments[0])
    for name in arguments[1:]:
        make(folder, name)


if __name__ == "__main__":
    main(sys.argv[1:])
