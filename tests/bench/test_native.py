"""The programs in C compile and do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.frames import write_pcap
from bench.live import SMALL_BUFFER_KIB, capture_programs, under_load
from bench.native import compiled
from bench.private_network import private_network
from bench.traffic import held_open

pytestmark = pytest.mark.program("gcc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("native")


def program(name: str, folder: Path) -> Path:
    path = compiled(name, folder)
    if path is None:
        pytest.skip(f"{name} does not compile here")
    return path


def test_the_loop_reads_a_whole_capture_and_notices_a_cut_one(folder: Path) -> None:
    loop = program("pcap_loop", folder)
    capture = folder / "capture.pcap"
    write_pcap(capture, held_open(10, 3))
    assert subprocess.run([loop, capture]).returncode == 0
    capture.write_bytes(capture.read_bytes()[:-1])
    cut = subprocess.run([loop, capture], capture_output=True, text=True)
    assert cut.returncode == 1
    assert "truncated" in cut.stderr


def test_a_program_is_compiled_once_and_again_when_its_source_is_newer(folder: Path) -> None:
    path = program("small_writes", folder)
    made = path.stat().st_mtime_ns
    assert program("small_writes", folder).stat().st_mtime_ns == made
    os.utime(path, (0, 0))
    assert program("small_writes", folder).stat().st_mtime_ns >= made


def test_small_writes_stops_by_itself_and_its_writes_are_packets(folder: Path) -> None:
    words = [str(program("small_writes", folder)), "4748", "0.2"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    found = re.fullmatch(r"writes (\d+) packets (\d+) seconds ([\d.]+)\n", done.stdout)
    assert found
    assert float(found[3]) >= 0.2
    # Almost every write is a segment; acknowledgements come on top.
    assert int(found[2]) > 0.9 * int(found[1]) > 0


@pytest.mark.parametrize(("verb", "processes"), [("call", 20), ("repeat", 4)])
def test_a_swarm_tells_who_called_and_takes_its_time(
    folder: Path, verb: str, processes: int
) -> None:
    swarm = program("swarm", folder)
    serving = subprocess.Popen(
        [swarm, "serve", "127.0.0.1", "2", folder / "served"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with serving:
        assert serving.stdout is not None
        port = serving.stdout.readline().strip()
        words = [str(swarm), verb, "127.0.0.1", port, "20", "4", "100", f"{folder}/calls"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
        serving.communicate()
    assert float(done.stdout) >= 0.19
    calls, served = (
        np.fromfile(folder / name, np.int64).reshape(-1, 5) for name in ("calls", "served")
    )
    assert calls[:, 0].tolist() == list(range(20))
    assert len(set(calls[:, 1].tolist())) == processes
    assert sorted(served[:, 2].tolist()) == sorted(calls[:, 2].tolist())  # the callers' ports


@pytest.mark.live
@pytest.mark.program("tcpdump", "ip", "taskset")
def test_a_capture_that_is_held_still_loses_packets_and_says_so(folder: Path) -> None:
    generator = program("small_writes", folder)
    words = capture_programs(SMALL_BUFFER_KIB)["tcpdump"]
    with private_network():
        assert Path("/proc/net/tcp").read_text().count("\n") == 1
        load = under_load(words, generator, 0.5, stopped=True)
    assert load.dropped is not None
    assert 0 < load.drop_share < 1


@pytest.mark.live
def test_what_names_nobody_asks_nobody() -> None:
    words = ["life", "-i", "lo", "-d", "0.1"]
    for program, asked in (("tcpsnoop", True), ("bench.unnamed", False)):
        done = subprocess.run(
            [sys.executable, "-m", program, *words], capture_output=True, text=True, check=True
        )
        assert ("owners:" in done.stderr) is asked
