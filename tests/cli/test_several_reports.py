"""Several reports from one reading: what each says alone, one after the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixture_types import Capture, RunTcpsnoop

# Logs and summaries, mixed.
NAMES = ("life", "rtt", "io", "stat", "firstbyte", "bytes")


@pytest.fixture(params=["service.pcap", "loss.pcap"])
def path(request: pytest.FixtureRequest, capture: Capture) -> Path:
    return capture(request.param)


def test_text_is_that_of_each_with_a_blank_line_between(
    run_tcpsnoop: RunTcpsnoop, path: Path
) -> None:
    alone = [run_tcpsnoop(name, "-n", "-q", "-r", path).stdout for name in NAMES]
    together = run_tcpsnoop(",".join(NAMES), "-n", "-q", "-r", path)
    assert (together.returncode, together.stderr) == (0, "")
    assert together.stdout == "\n".join(alone)


def test_rows_for_machines_say_which_report_they_are_of(
    run_tcpsnoop: RunTcpsnoop, path: Path
) -> None:
    words = ("-n", "-q", "--format", "jsonl", "-r", path)
    expected = [
        {"report": name} | json.loads(line)
        for name in NAMES
        for line in run_tcpsnoop(name, *words).stdout.splitlines()
    ]
    together = run_tcpsnoop(",".join(NAMES), *words)
    assert list(map(json.loads, together.stdout.splitlines())) == expected


def test_with_intervals_each_summary_has_all_its_own(run_tcpsnoop: RunTcpsnoop, path: Path) -> None:
    words = ("-n", "-q", "--interval", "0.25", "-r", path)
    alone = [run_tcpsnoop(name, *words).stdout for name in ("stat", "rtt")]
    assert run_tcpsnoop("stat,rtt", *words).stdout == "\n".join(alone)


@pytest.mark.parametrize(
    "words", [("--interval", "1"), ("--top", "1"), ("--sort", "count")], ids=lambda words: words[0]
)
def test_what_a_log_cannot_do_names_the_log(
    run_tcpsnoop: RunTcpsnoop, path: Path, words: tuple[str, ...]
) -> None:
    refused = run_tcpsnoop("rtt,life", *words, "-r", path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        refused.stderr == f"tcpsnoop: {words[0]}: life is a log and writes each row as it comes\n"
    )


def test_own_options_and_csv_are_for_one_report(run_tcpsnoop: RunTcpsnoop, path: Path) -> None:
    for words, told in (
        (("--by", "remote"), "there is no option --by (with several reports only the common"),
        (("--format", "csv"), "--format csv: several reports have no common columns; take jsonl"),
    ):
        refused = run_tcpsnoop("rtt,bytes", *words, "-r", path)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert told in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
