"""After warming up nothing is left to compile, whatever the packets are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixture_types import Capture, RunTcpsnoop

ROOT = Path(__file__).resolve().parents[2]

interpreted = os.environ.get("TCPSNOOP_INTERPRET") == "1"
pytestmark = pytest.mark.skipif(interpreted, reason="kernels are interpreted")


def late(*words: str | Path) -> list[str]:
    """The kernels that a run of warmed.py compiled after it was ready."""
    command = [sys.executable, "-m", "tests.engine.warmed", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == 0
    assert told["ready"] > 5
    compiled: list[str] = told["late"]
    return compiled


@pytest.mark.parametrize(
    ("report", "form"),
    [("io", "text"), ("accept", "jsonl"), ("wdist", "csv"), ("rtt", "text"), ("firstbyte", "text")],
)
def test_live(report: str, form: str) -> None:
    assert late(report, form) == []


@pytest.mark.root
def test_options_that_keep_rows_back_leave_nothing_to_compile(
    run_tcpsnoop: RunTcpsnoop, capture: Capture
) -> None:
    """Root is given up before reading: what is imported then may not be readable any more."""
    words = ("--method", "ack", "--by", "remote", "-L", "8080", "-n")
    done = run_tcpsnoop("rtt", *words, "-r", capture("service.pcap"))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3)


@pytest.mark.root
@pytest.mark.parametrize("name", ["interfaces.pcapng", "accepts.pcap"])
def test_files_for_which_root_is_given_up(capture: Capture, name: str) -> None:
    assert late("io", "jsonl", capture(name)) == []


@pytest.mark.root
@pytest.mark.parametrize("options", ["", ",count_by=flow"])
@pytest.mark.parametrize("form", ["text", "csv"])
def test_a_report_whose_rows_come_late(capture: Capture, form: str, options: str) -> None:
    """What is sent through the stages beforehand has nothing that is sent again."""
    assert late(f"retrans{options}", form, capture("loss.pcap")) == []
