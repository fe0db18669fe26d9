"""Where and with what the benchmarks ran, read from the system; no names or paths of it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.targets import table


def describe() -> str:
    """A Markdown table of the machine, the system and the versions."""
    rows = [
        ("date", datetime.now(UTC).strftime("%Y-%m-%d")),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", f"{_memory_gib():.0f} GiB"),
        ("kernel", f"{platform.system()} {_release()}"),
        ("Python", platform.python_version()),
        *((name, _package(name)) for name in ("numpy", "numba", "pcapy-ng")),
        ("libpcap", _first_match(["tcpdump", "--version"], r"libpcap version (\S+)")),
        ("tcpdump", _first_match(["tcpdump", "--version"], r"tcpdump version (\S+)")),
        ("tshark", _first_match(["tshark", "--version"], r"TShark \D*(\d[\d.]*)")),
        ("tcptrace", _first_match(["tcptrace", "-version"], r"version (\d[\d.]*)")),
    ]
    return table(("machine", ""), rows)


def in_a_line() -> str:
    """The machine as one sentence, and how busy it is."""
    busy = os.getloadavg()[0]
    return (
        f"On {_processor()}, {os.cpu_count()} cores, {platform.system()} {_release()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}; load {busy:.1f} "
        "when it began."
    )


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    name = found[1] if found else platform.machine()
    return f"{name} (virtual machine)" if re.search(r"\bhypervisor\b", text) else name


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _release() -> str:
    """The numbers of the kernel's version; what follows may name a host."""
    return re.split(r"[^\d.]", platform.release())[0]


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "–"


def _first_match(words: list[str], pattern: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError:
        return "–"
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "–"
