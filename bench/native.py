"""The programs written in C, compiled with the captures' folder as their home."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

LIBRARIES = {"pcap_loop": ["-lpcap"], "repeat": [], "small_writes": [], "swarm": []}


def compiled(name: str, folder: Path) -> Path | None:
    """The program, compiled anew when its source is newer; None without a compiler or libpcap."""
    source = Path(__file__).with_name(f"{name}.c")
    program = folder / name
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return program
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    words = [compiler, "-O2", "-o", str(program), str(source), *LIBRARIES[name]]
    done = subprocess.run(words, capture_output=True, text=True)
    return program if done.returncode == 0 else None
