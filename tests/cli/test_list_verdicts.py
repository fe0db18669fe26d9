"""`tcpsnoop list verdicts` as users run it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.fixture_types import Capture, RunTcpsnoop


def test_text_csv_and_json_say_the_same(run_program: RunTcpsnoop, capture: Capture) -> None:
    words = ("list", "verdicts", "-r", capture("verdicts.pcap"), "--format")
    text, table, lines = (run_program(*words, form) for form in ("text", "csv", "jsonl"))
    assert {text.returncode, table.returncode, lines.returncode} == {0}
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    read = list(csv.DictReader(io.StringIO(table.stdout)))
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows] == read
    head, *shown = text.stdout.splitlines()
    assert head.split() == ["VERDICT", "LINKTYPE", "LINK", "PACKETS", "REASON"]
    assert len(shown) == len(rows)
    for line, row in zip(shown, rows, strict=True):
        assert line.startswith(f"{row['verdict']} ")
        assert f" {row['packets']}  {row['reason'] or '-'}" in line


def test_several_files_a_filter_and_a_count(run_program: RunTcpsnoop, capture: Capture) -> None:
    both = ("-r", capture("null.pcap"), "-r", capture("finger.pcap"), "--format", "jsonl")
    done = run_program("list", "verdicts", *both)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["link_type"], row["packets"]) for row in rows] == [(0, 44), (1, 11)]
    done = run_program("list", "verdicts", *both, "-c", "2", "tcp[tcpflags]", "==", "tcp-syn")
    assert done.returncode == 0
    assert sum(json.loads(line)["packets"] for line in done.stdout.splitlines()) == 2
    assert "2 passed the filter" in done.stderr


def test_standard_input_quietly_and_without_header(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    words = ("list", "verdicts", "-q", "--no-header", "-r", "-")
    done = run_program(*words, stdin=capture("session.snoop"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:4] == ["tcp", "1", "Ethernet", "11"]


def test_a_capture_of_nothing_that_is_read(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("list", "verdicts", "-r", capture("unsupported-link-type.pcap"))
    assert done.returncode == 1
    shown = "unsupported link type 147 user 0 11 frames of this link type are not read"
    assert " ".join(done.stdout.splitlines()[1].split()) == shown
    assert done.stderr.splitlines()[-1].startswith("no packet is of a supported link type")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "list verdicts: which capture?"),
        (("-r", "absent.pcap"), "absent.pcap does not exist"),
        (("-r", "captures/finger.pcap", "nonsense words"), "nonsense"),
        (("-r", "captures/finger.pcap", "--top", "3"), "there is no option --top"),
        (("-r", "captures/accepts.hosts"), "is not a capture"),
    ],
)
def test_what_cannot_be_is_refused(
    run_program: RunTcpsnoop, words: tuple[str, ...], told: str
) -> None:
    done = run_program("list", "verdicts", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.root
@pytest.mark.parametrize("form", ["text", "jsonl", "csv"])
def test_root_is_given_up_and_nothing_is_needed_later(
    run_tcpsnoop: RunTcpsnoop, capture: Capture, form: str
) -> None:
    # A whole program of its own: what `run_program` forks from has everything in memory.
    done = run_tcpsnoop("list", "verdicts", "--format", form, "-r", capture("verdicts.pcap"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") >= 6
