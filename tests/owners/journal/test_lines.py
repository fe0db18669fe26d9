"""Records as lines: what a line says, in the words of docs/formats.md."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tcpsnoop.owners.journal.lines import ROWS_IN_LINE, LineMaker, header_line
from tcpsnoop.owners.journal.records import (
    CgroupNumber,
    Clocks,
    End,
    Events,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    SocketRow,
    Sockets,
)
from tcpsnoop.owners.tracing.events import FORKED
from tests.owners.journal.journals import BARE, HEADER, WEB, event

SSH = SocketRow("192.0.2.10", 22, "198.51.100.7", 51022, 20002)


def test_the_header() -> None:
    assert json.loads(header_line(HEADER)) == {
        "tcpsnoop_journal": 1,
        "program": "a test",
        "began_ns": HEADER.began_ns,
        "boot_id": "boot",
        "boot_ns": HEADER.boot_ns,
        "method": "perf",
        "why_not": None,
        "self_test": "passed",
        "translates": False,
        "network_namespace": 4026531840,
        "pids": 32769,
        "ticks_per_second": 100,
    }


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (CgroupNumber(77, "/a/b"), {"cgroup": {"number": 77, "path": "/a/b"}}),
        (
            LocalNetworks(5, ("127.0.0.0/8", "::1")),
            {"addresses": {"time_ns": 5, "networks": ["127.0.0.0/8", "::1"]}},
        ),
        (Clocks(5, 3, 4), {"clock": {"time_ns": 5, "monotonic_ns": 3, "boottime_ns": 4}}),
        (
            Sockets((5, 6), (SSH,), ()),
            {
                "sockets": {
                    "read_ns": [5, 6],
                    "new": [["192.0.2.10", 22, "198.51.100.7", 51022, 20002]],
                    "gone": [],
                }
            },
        ),
        (
            Holders(7, {20002: ((1120, 90_000),), 3: ()}, 2, True),
            {
                "holders": {
                    "time_ns": 7,
                    "holders": [[20002, [[1120, 90_000]]], [3, []]],
                    "unreadable": 2,
                    "hidden": True,
                }
            },
        ),
        (End(9, 12), {"end": {"time_ns": 9, "lost": 12}}),
    ],
)
def test_a_record(record: Record, told: object) -> None:
    (line,) = LineMaker().lines(record)
    assert line.endswith(b"\n")
    assert json.loads(line) == told


def test_a_process_with_all_that_is_known() -> None:
    (line,) = LineMaker().lines(ProcessRead(5, WEB))
    assert json.loads(line)["process"] == {
        "time_ns": 5,
        "pid": 812,
        "start_time": 805,
        "command": "nginx",
        "command_line": "nginx: worker",
        "executable": "/usr/sbin/nginx",
        "uid": 33,
        "user": "www-data",
        "parent_pid": 811,
        "parent_command": "nginx",
        "cgroup": "/system.slice/nginx.service",
        "unit": "nginx.service",
        "container": None,
        "network_namespace": 4026531840,
    }


def test_what_is_not_known_of_a_process_is_null() -> None:
    (line,) = LineMaker().lines(ProcessRead(5, BARE))
    told = json.loads(line)["process"]
    assert {name for name, value in told.items() if value is None} == {
        "executable",
        "uid",
        "user",
        "parent_pid",
        "parent_command",
        "cgroup",
        "unit",
        "container",
        "network_namespace",
    }


def test_names_and_paths_cannot_move_a_terminal() -> None:
    process = BARE.__class__(7, 0, "x\x1b[2Jy", "a\nb \u202e")
    (line,) = LineMaker().lines(ProcessRead(5, process))
    assert line.isascii()
    assert line.rstrip(b"\n").decode().isprintable()
    assert json.loads(line)["process"]["command"] == "x\x1b[2Jy"


def test_many_events_are_several_lines() -> None:
    rows = np.concatenate([event(number, FORKED, 1) for number in range(3)] * ROWS_IN_LINE)
    rows = rows[: 2 * ROWS_IN_LINE + 1]
    lines = list(LineMaker().lines(Events(rows)))
    counts = [len(json.loads(line)["events"]["kind"]) for line in lines]
    assert counts == [ROWS_IN_LINE, ROWS_IN_LINE, 1]
    assert list(LineMaker().lines(Events(rows[:0]))) == []
