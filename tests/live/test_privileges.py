"""Who the program is while it runs: root is given up as soon as nothing needs it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fixture_types import Capture
from tests.live.networks import host
from tests.live.programs import Program, running, tcpsnoop

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]


class Case(NamedTuple):
    """A command line, who is said to have called sudo, and who it becomes."""

    words: tuple[str, ...]
    caller: str
    becomes: str


CASES = {
    "nothing needs root": Case(("accept", "-i", "lo"), "", "nobody"),
    "who called sudo": Case(("accept", "-i", "lo"), "daemon", "daemon"),
    "processes are looked up": Case(("io", "-i", "lo"), "daemon", "root"),
    "a process is chosen": Case(("accept", "-i", "lo", "-p", "1"), "daemon", "root"),
    "the user is chosen": Case(("io", "-i", "lo", "-Z", "daemon"), "", "daemon"),
    "a pipe": Case(("io", "-r", "-"), "", "nobody"),
    "a pipe, the user is chosen": Case(("io", "-Z", "daemon", "-r", "-"), "", "daemon"),
}


@pytest.fixture(scope="module")
def programs(capture: Capture) -> Iterator[dict[str, Program]]:
    """All of them run; those that read a pipe have read a capture from it."""
    with ExitStack() as stack:
        place = stack.enter_context(host())
        started = {}
        for name, case in CASES.items():
            words = place.words(*tcpsnoop(*case.words))
            environment = {"SUDO_USER": case.caller} if case.caller else {}
            started[name] = stack.enter_context(running(*words, environment=environment))
        content = capture("finger.pcap").read_bytes()
        for name, program in started.items():
            if "pipe" not in name:
                program.tracing()
                continue
            assert program.process.stdin is not None
            program.process.stdin.write(content)
            program.process.stdin.flush()
        yield started


def ids(pid: int, kind: str) -> list[int]:
    """Real, effective, saved and file system ID of a process, or its groups (proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == kind:
            return [int(word) for word in rest.split()]
    raise AssertionError(kind)


@pytest.mark.parametrize("name", list(CASES))
def test_who_it_is(programs: dict[str, Program], name: str) -> None:
    case, program = CASES[name], programs[name]
    if "pipe" in name:
        program.output.wait("FIN", timeout=120)  # it reads
    user = pwd.getpwnam(case.becomes)
    assert ids(program.pid, "Uid") == [user.pw_uid] * 4
    assert ids(program.pid, "Gid") == [user.pw_gid] * 4
    if user.pw_uid != 0:
        assert ids(program.pid, "Groups") == []
        assert ids(program.pid, "Tgid") == [program.pid]
        effective = Path(f"/proc/{program.pid}/status").read_text()
        assert "CapEff:\t0000000000000000\n" in effective


def test_a_report_goes_where_only_root_may_write(capture: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    report = folder / "report"
    words = tcpsnoop("accept", "-n", "-o", report, "-r", capture("accepts.pcap"))
    with running(*words) as program:
        program.end(None)
    assert program.process.returncode == 0
    assert len(report.read_text().splitlines()) == 6
    assert report.stat().st_uid == os.geteuid()


def test_files_that_only_root_may_read(capture: Capture, tmp_path: Path) -> None:
    """Several are opened again when their time has come."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    words: list[object] = ["io", "-n"]
    for name in ("finger.pcap", "handshake-refused.pcap", "writes.pcap"):
        (folder / name).write_bytes(capture(name).read_bytes())
        (folder / name).chmod(0o400)
        words += ["-r", folder / name]
    with running(*tcpsnoop(*words)) as program:
        program.end(None)
    assert program.process.returncode == 0, program.notes.text
    assert len(program.output.all) == 1 + 11 + 2 + 32
