"""A gigabyte through standard input takes no more memory than a tenth of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.frames import write_pcap
from bench.native import compiled
from bench.traffic import DOWNLOAD, conversations

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 10**6
SHORT, LONG = 100 * MEGABYTE, 1000 * MEGABYTE
MOST_GROWTH = 10 * MEGABYTE


def peak_bytes(repeat: Path, path: Path, length: int, *words: str) -> int:
    """Peak resident memory of the program reading so many bytes of a generator."""
    generator = subprocess.Popen(
        [repeat, path, str(length)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    reader = subprocess.Popen(
        [sys.executable, "-m", "tcpsnoop", *words, "-r", "-"],
        cwd=ROOT,
        stdin=generator.stdout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert generator.stdout is not None
    generator.stdout.close()
    assert generator.stderr is not None
    assert reader.stderr is not None
    written, told = generator.stderr.read(), reader.stderr.read()
    assert generator.wait() == 0, written
    _, status, usage = os.wait4(reader.pid, 0)
    reader.returncode = os.waitstatus_to_exitcode(status)
    generator.stderr.close()
    reader.stderr.close()
    assert reader.returncode == 0, told
    assert f"{int(written):,} packets read, {int(written):,} TCP" in told
    return usage.ru_maxrss * 1024


@pytest.mark.slow
@pytest.mark.program("gcc")
@pytest.mark.parametrize("words", [("accept", "-n"), ("io", "-n"), ("list", "verdicts")])
def test_memory_is_flat(words: tuple[str, ...], tmp_path: Path) -> None:
    repeat = compiled("repeat", tmp_path)
    assert repeat is not None
    path = tmp_path / "once.pcap"
    write_pcap(path, conversations(20_000, 100, DOWNLOAD, mean_packets=180))
    peak_bytes(repeat, path, MEGABYTE, *words)  # compiled
    short = peak_bytes(repeat, path, SHORT, *words)
    assert peak_bytes(repeat, path, LONG, *words) - short < MOST_GROWTH
