"""`-r CAPTURE --owners FILE`: whole runs over a capture and the journal that belongs to it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.fixture_types import Capture, RunTcpsnoop

CAPTURE, JOURNAL = "processes.pcap", "processes.owners"
NGINX, API, CURL, SSHD = 812, 2990, 4107, 1120


@pytest.fixture
def run_on(run_program: RunTcpsnoop, capture: Capture) -> Any:
    """Runs a report on the capture with its journal, and words of options."""

    def run(report: str, *words: str) -> CompletedProcess[str]:
        files = ("-r", capture(CAPTURE), "--owners", capture(JOURNAL))
        return run_program(report, "-n", *files, *words)

    return run


def rows(done: CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_lines_of_life_have_their_processes(run_on: Any) -> None:
    done = run_on("life")
    told = [line.split()[:2] for line in done.stdout.splitlines()[1:]]
    assert (done.returncode, told) == (
        0,
        [
            ["812", "nginx"],
            ["2990", "python3"],
            ["4107", "curl"],
            ["-", "-"],
            ["1120", "sshd"],
            ["-", "-"],
        ],
    )
    assert "local side by the addresses of interfaces: 6 connections" in done.stderr
    assert (
        "owners: journal of perf, then sockets as seen, 6 connection ends: exact 50.0 %, "
        "kernel 16.7 %, holder 16.7 %, shared 16.7 % (no socket 1)" in done.stderr
    )
    assert "owners: no event lost" in done.stderr


def test_the_manifest_s_owners_and_calls(run_on: Any, capture: Capture) -> None:
    truth = json.loads(capture("MANIFEST.json").read_text())[CAPTURE]
    named = {}
    for row in rows(run_on("life", "--format", "jsonl")):
        pids = [row["pid"]] if row["pid"] else [pid for pid, _ in row["holders"] or ()]
        named[row["lport"]] = (pids, row["attribution"])
    assert named == {each["lport"]: (each["pids"], each["attribution"]) for each in truth["owners"]}
    calls = {}
    for row in rows(run_on("wdist", "--format", "jsonl")):
        assert (row["method"], row["attribution"]) == ("exact", "exact")
        calls[row["pid"]] = (row["count"], row["sum"], row["min"], row["max"])
    assert calls == {
        each["pid"]: (
            len(each["bytes"]),
            sum(each["bytes"]),
            min(each["bytes"]),
            max(each["bytes"]),
        )
        for each in truth["calls"]
    }


def test_every_packet_of_io_has_its_process(run_on: Any) -> None:
    found = Counter((row["lport"], row["pid"]) for row in rows(run_on("io", "--format", "jsonl")))
    assert found == {
        (443, NGINX): 12,
        (40112, API): 10,
        (40114, CURL): 10,
        (22, SSHD): 2,
        (39980, None): 2,
        (23, None): 2,
    }


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        (["-p", "812"], [443]),
        (["-p", "812", "-p", "1120"], [443, 22]),
        (["-p", "1601"], [39980]),  # one of the holders
        (["--command", "nginx"], [443]),
        (["--uid", "1000"], [40112, 39980]),
        (["--uid", "33", "--command", "nginx"], [443]),
        (["--cgroup", "cron.service"], [40114]),  # of a process that was gone before it was read
        (["--cgroup", "3f9a3f9a3f9a"], [40112]),
        (["--cgroup", "/user.slice"], [22, 39980]),
        (["--cgroup", "nginx.service", "--uid", "0"], []),
        (["-p", "1"], []),
    ],
)
def test_processes_can_be_chosen(run_on: Any, words: list[str], ports: list[int]) -> None:
    found = rows(run_on("life", "--format", "jsonl", *words))
    assert [row["lport"] for row in found] == ports


def test_the_context_of_a_process(run_on: Any) -> None:
    (row,) = rows(run_on("life", "--context", "--format", "jsonl", "-p", "2990"))
    told = {name: row[name] for name in ("command_line", "executable", "user", "uid")}
    assert told == {
        "command_line": "python3 -m api --workers 1",
        "executable": "/usr/bin/python3.11",
        "user": "ada",
        "uid": 1000,
    }
    assert (row["parent_pid"], row["parent_command"]) == (2969, "containerd-shim")
    assert row["container"] == "3f9a" * 16
    assert row["unit"] == f"docker-{'3f9a' * 16}.scope"


def test_reports_without_processes_have_the_local_side(run_on: Any) -> None:
    found = rows(run_on("accept", "--format", "jsonl"))
    assert [(row["raddr"], row["lport"]) for row in found] == [("198.51.100.20", 443)]


def test_intervals_have_their_own_writes(run_on: Any) -> None:
    found = rows(run_on("wdist", "--format", "jsonl", "--interval", "1"))
    told = [(row["interval"][17:19], row["pid"], row["sum"]) for row in found]
    assert told == [("00", NGINX, 2031), ("01", API, 61), ("02", CURL, 83)]


@pytest.mark.parametrize("words", [["tcp port 443"], ["-c", "12"], ["-d", "0.5"]])
def test_filter_and_stop_rules_mean_the_same(run_on: Any, words: list[str]) -> None:
    found = rows(run_on("wdist", "--format", "jsonl", *words))
    assert [(row["pid"], row["count"], row["sum"]) for row in found] == [(NGINX, 2, 2031)]


def test_several_reports_and_several_files(run_program: RunTcpsnoop, capture: Capture) -> None:
    files = ("-r", capture("finger.pcap"), "-r", capture(CAPTURE), "--owners", capture(JOURNAL))
    found = rows(run_program("io,life", "-n", *files, "--format", "jsonl"))
    lives = [row for row in found if row["report"] == "life"]
    assert sum(row["report"] == "io" for row in found) == 11 + 38
    named = {row["lport"]: row["pid"] for row in lives}
    assert named == {443: NGINX, 40112: API, 40114: CURL, 22: SSHD, 39980: None, 23: None, 79: None}
    (finger,) = [row for row in lives if row["lport"] == 79]
    assert finger["reason"] == "not visible"  # of another host


def test_a_journal_of_another_time(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "later"
    path.write_bytes(capture(JOURNAL).read_bytes().replace(b"115443", b"125443"))
    done = run_program("io", "-n", "-r", capture(CAPTURE), "--owners", path, "--format", "jsonl")
    assert {(row["pid"], row["reason"]) for row in rows(done)} == {(None, "not recorded")}
    assert "owners: the journal is of another time than the packets" in done.stderr


def test_a_capture_from_a_pipe(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program(
        "life", "-n", "-r", "-", "--owners", capture(JOURNAL), stdin=capture(CAPTURE)
    )
    assert done.stdout.splitlines()[1].startswith("812   nginx ")


def test_decoding_packets_and_processes(run_on: Any) -> None:
    pytest.importorskip("scapy")
    done = run_on("io", "-v", "-p", "1120")
    assert done.returncode == 0
    assert done.stdout.count("###[ TCP ]###") == 2


# What is missing, and what is refused.


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_journal_that_is_cut_off_is_read_up_to_there(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path, kept: float
) -> None:
    content = capture(JOURNAL).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(len(content) * kept)])
    done = run_program("life", "-n", "-q", "-r", capture(CAPTURE), "--owners", path)
    assert done.returncode == 1
    assert done.stdout.count("\n") == 7
    assert done.stderr.startswith(f"{path} is cut off at byte ")


def refused(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"no journal\n", "is not a journal of owners: `tcpsnoop owners --journal` writes them"),
        (b'{"tcpsnoop_journal":7}\n', "is a journal of version 7: this tcpsnoop reads version 1"),
        (b'{"tcpsnoop_journal":1}\n', "is damaged in its first line"),
        (b'{"tcpsnoop_journal":1', "is cut off in its first line"),
    ],
)
def test_what_is_no_journal_is_refused(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    assert told in refused(run_program("io", "-r", capture(CAPTURE), "--owners", path))
    assert "--owners no/such: No such file" in refused(
        run_program("io", "-r", capture(CAPTURE), "--owners", "no/such")
    )


def test_a_capture_is_no_journal(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("io", "-r", capture(CAPTURE), "--owners", capture(CAPTURE))
    assert "is not a journal of owners" in refused(done)


def test_live_there_is_no_journal_to_read(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("io", "-i", "lo", "--owners", capture(JOURNAL))
    assert "--owners: a journal is for captures that are read (-r)" in refused(done)


def test_without_a_journal_processes_cannot_be_chosen(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    for words in (["-p", "1"], ["--command", "x"], ["--uid", "0"], ["--cgroup", "x"]):
        done = run_program("io", "-r", capture(CAPTURE), *words)
        assert "give a journal of them by --owners" in refused(done)


def test_a_command_is_followed_live_alone(run_on: Any) -> None:
    assert "-- CMD: what it does is captured live" in refused(run_on("io", "--", "true"))


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.program("setpriv", "unshare")
def test_neither_root_nor_a_network_is_needed(capture: Capture, tmp_path: Path) -> None:
    """As nobody, without any right, in a network namespace without an interface that is up."""
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all"
    program = f"{nobody} {shlex.quote(sys.executable)} -m tcpsnoop"
    readable = subprocess.run(
        [*nobody.split(), sys.executable, "-c", "import tcpsnoop"], cwd=capture(CAPTURE).parents[1],
        capture_output=True, check=False,
    )  # fmt: skip
    if readable.returncode:
        pytest.skip("others may not read this checkout or this Python")
    line = f"{program} life -q -n -r {capture(CAPTURE)} --owners {capture(JOURNAL)}"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", line],
        cwd=capture(CAPTURE).parents[1],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("812   nginx ")
