"""Foreign captures against what tshark found in them: every segment, and not one more.

`io --format jsonl -n` of each capture in the corpus, compared with its truth table row by row: the
packet's number, both ends, flags and payload length. What differs stands here by name, with the
reason; whatever else differs fails.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.corpus_tables import Segment, differences, has_segment, innermost, manifest, segment_of
from tests.fixture_types import Compared

pytestmark = pytest.mark.slow

SECONDS, MEGABYTES = 10, 500
AT_A_TIME = 2

# Packets of dev/ that are left out, and why.
_COMPRESSED = "IPComp: what is inside is compressed, and a compressed packet has no TCP header"
LEFT_OUT = {
    "libpcap__AH-IPcomp-IPv4.pcap": dict.fromkeys((3, 4, 5, 7), _COMPRESSED),
    "gopacket__linux_sll_oversized_addr.pcapng": {
        87: "tshark gives no length; tcpdump: truncated-ip, 12 bytes missing",
        95: "no flags in tshark; tcpdump: bad hdr length 0 - too short, < 20",
    },
}

# Packets of hostile/ in which tshark names a segment and we do not, or the other way round.
_TOO_LONG = "data offset 28 in a packet that has 20 bytes for TCP; tcpdump: bad hdr length 28"
_ONE_MORE = "tshark takes the record for cut; libpcap and tcpdump read it"
HOSTILE = {
    "PcapPlusPlus__tcp-malformed.pcap": {1: _TOO_LONG, 2: _TOO_LONG},
    "PcapPlusPlus__crash-exception-cast-constructed-record": {2: _ONE_MORE},
}


# Begun by this process itself, a program would be said to have taken as much memory as this one.
_MEASURED = """
import os, sys
used, *command = sys.argv[1:]
_, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
with open(used, "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


class Run(NamedTuple):
    """One whole run of `io`, as the kernel measured it."""

    status: int  # negative: ended by a signal
    segments: dict[int, Segment]
    stderr: str
    megabytes: float


@pytest.fixture(scope="module")
def read_all(
    corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, Run]]:
    """What `io` says of every capture of a folder, two at a time, after all was compiled."""
    folder = tmp_path_factory.mktemp("runs")

    def read(path: Path, seconds: float = SECONDS) -> Run:
        command = [sys.executable, "-m", "tcpsnoop", "io", "--format", "jsonl", "-n", "-r"]
        out, told, used = (folder / f"{path.name}.{what}" for what in ("out", "err", "used"))
        with out.open("wb") as stdout, told.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-c", _MEASURED, used, *command, path],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            timer = threading.Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
            timer.start()
            status = process.wait()
            timer.cancel()
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        segments = {line["packet"]: segment_of(line) for line in lines}
        assert len(segments) == len(lines), "a packet has two rows"
        text = told.read_text(encoding="utf-8")
        kilobytes = int(used.read_text()) if status >= 0 else 0
        return Run(status, segments, text, kilobytes * 1024 / 1e6)

    def read_folder(name: str) -> dict[str, Run]:
        names = [capture for capture, _ in manifest(corpus, name)]
        read(corpus / "dev" / "tcpdump__print-flags.pcap", 300)
        read(corpus / "dev" / "PcapPlusPlus__pcapng-example.pcapng", 300)
        read(corpus / "dev" / "PcapPlusPlus__solaris.snoop", 300)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            runs = pool.map(lambda capture: read(corpus / name / capture), names)
            return dict(zip(names, runs, strict=True))

    return read_folder


def wrong_in(
    corpus: Path, folder: str, runs: dict[str, Run], known: dict[str, dict[int, str]]
) -> list[str]:
    """Every difference from the tables that is not known by name."""
    wrong = []
    for name, run in runs.items():
        found = differences(innermost(corpus, folder, name), run.segments)
        reasons = known.get(name, {})
        wrong += [f"{name} packet {n}: {text}" for n, text in found.items() if n not in reasons]
    return wrong


def test_every_segment_and_no_more(
    corpus: Path, read_all: Callable[[str], dict[str, Run]], compared: Compared
) -> None:
    """All 101 captures of dev/: packet number, ends, flags and payload of every segment."""
    runs = read_all("dev")
    assert len(runs) == 101
    for name, run in runs.items():
        assert run.status in (0, 1), f"{name}: {run.stderr}"
        assert "internal error" not in run.stderr
        assert "Traceback" not in run.stderr
        compared(name)
    tables = [innermost(corpus, "dev", name) for name in runs]
    assert sum(has_segment(row) for table in tables for row in table.values()) == 22_253
    assert sum(map(len, LEFT_OUT.values())) == 6
    wrong = wrong_in(corpus, "dev", runs, LEFT_OUT)
    assert not wrong, "\n".join(wrong[:50])


def test_hostile_captures(
    corpus: Path, read_all: Callable[[str], dict[str, Run]], compared: Compared
) -> None:
    """All 112 captures of hostile/: an answer in time and in memory, and all that can be read."""
    runs = read_all("hostile")
    assert len(runs) == 112
    for name, run in runs.items():
        assert run.status in (0, 1, 2), f"{name}: status {run.status}, {run.stderr}"
        assert "internal error" not in run.stderr, name
        assert "Traceback" not in run.stderr, name
        assert run.megabytes < MEGABYTES, name
        # What makes the status 1 or 2 is said, in one line.
        assert run.status == 0 or run.stderr.splitlines()[-1], name
        compared(name)
    wrong = wrong_in(corpus, "hostile", runs, HOSTILE)
    assert not wrong, "\n".join(wrong[:50])
