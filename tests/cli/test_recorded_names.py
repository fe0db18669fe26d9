"""Host names that a capture records, in whole runs: their place among the other names."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fixture_types import Capture, RunTcpsnoop

MARLIN = "192.168.1.175"


def names(done_stdout: str) -> dict[str, str | None]:
    """Host names of the rows by address."""
    rows = [json.loads(line) for line in done_stdout.splitlines()]
    return {row["raddr"]: row["hostname"] for row in rows}


def test_they_stand_where_a_hosts_table_would(run_program: RunTcpsnoop, capture: Capture) -> None:
    words = ("accept", "--format", "jsonl")
    recorded = run_program(*words, "-r", capture("names.pcapng"))
    given = run_program(*words, "--hosts", capture("accepts.hosts"), "-r", capture("accepts.pcap"))
    assert recorded.stdout == given.stdout
    assert names(recorded.stdout)[MARLIN] == "marlin"


def test_what_the_user_says_counts_more(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{MARLIN} mine\n")
    done = run_program(
        "accept", "--format", "jsonl", "--hosts", hosts, "-r", capture("names.pcapng")
    )
    told = names(done.stdout)
    assert told.pop(MARLIN) == "mine"
    assert sorted(map(str, told.values())) == ["bass", "marlin6"]


def test_numeric_means_no_names(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("accept", "-n", "--format", "jsonl", "-r", capture("names.pcapng"))
    assert set(names(done.stdout).values()) == {None}


def test_of_several_files_every_name_counts(run_program: RunTcpsnoop, capture: Capture) -> None:
    # names.pcapng has the names of the hosts in accepts.pcap.
    files = ("-r", capture("accepts.pcap"), "-r", capture("names.pcapng"))
    done = run_program("accept", "--format", "jsonl", *files)
    assert names(done.stdout)[MARLIN] == "marlin"
