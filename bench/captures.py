"""The captures the benchmarks read: which there are, and where; each is made once and kept.

This module only names files. Making them takes gigabytes of columns and happens in a process of its
own, which also keeps this one small: the peak memory Linux counts for a child begins with that of
its parent.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

KINDS = {
    "small": "small packets",
    "full": "full-size packets",
    "snap96": "full-size packets, snap length 96",
}


@dataclass(frozen=True)
class Captures:
    """The folder of captures; `scale` shrinks every one, for a quick look."""

    folder: Path
    scale: float = 1.0

    def count(self, full_scale: int) -> int:
        """So many packets, or connections, at this scale."""
        return int(full_scale * self.scale)

    def conversations(self, kind: str, longest: int, counts: Sequence[int]) -> list[Path]:
        """The first packets of one capture of the `longest` count, a file for each count."""
        planned = self.count(longest)
        return self._made([f"{kind}-{planned}-{self.count(count)}" for count in counts])

    def held_open(self, direction: str, connections: int, packets_each: int) -> Path:
        """Connections that never close, `inbound` or `outbound`, each with another peer address."""
        return self._made([f"{direction}-{self.count(connections)}-{packets_each}"])[0]

    def _made(self, names: Sequence[str]) -> list[Path]:
        folder = self.folder / f"captures-{_generator_digest()}"
        missing = [name for name in names if not (folder / f"{name}.pcap").exists()]
        if missing:
            print("making captures:", *missing, file=sys.stderr, flush=True)
            _remove_outdated(self.folder, keep=folder)
            folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "bench.make_captures", str(folder), *missing]
            subprocess.run(command, check=True)
        return [folder / f"{name}.pcap" for name in names]


def default_folder() -> Path:
    """Where captures are kept unless told otherwise."""
    return Path(tempfile.gettempdir()) / "tcpsnoop-bench"


def warm(path: Path) -> None:
    """Read the file until the page cache has it, if it fits there.

    Three times: Linux moves pages to its active list as they are read again, which costs that time.
    """
    for _ in range(3):
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


@cache
def _generator_digest() -> str:
    here = Path(__file__).parent
    texts = [(here / f"{name}.py").read_bytes() for name in ("traffic", "frames", "make_captures")]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]


def _remove_outdated(folder: Path, keep: Path) -> None:
    for other in folder.glob("captures-*"):
        if other != keep:
            shutil.rmtree(other)
