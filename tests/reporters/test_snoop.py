"""`snoop`: the line of the Toolkit's tcpsnoop, the size of frames, users and processes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tcpsnoop.batches.owners import EXACT, UNKNOWN, Owner, Process
from tcpsnoop.batches.segments import ACK, PUSH
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.snoop import Snoop
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

# By the script: "%5s %6s %-15s %5s %2s %-15s %5s %5s %s\n" for the header, and for each packet
# "%5d %6d %-15s %5d %2s %-15s %5d %5d %s\n".
HEADER = "  UID    PID LADDR           LPORT DR RADDR           RPORT  SIZE CMD\n"
ROWS = """\
  100  20892 192.168.1.5     36398 -> 192.168.1.1        79    54 finger
  100  20892 192.168.1.5     36398 <- 192.168.1.1        79    66 finger
"""
FINGER = Owner(EXACT, Process(20892, 1, "finger", uid=100))
LOCAL, REMOTE = "192.168.1.5 36398", "192.168.1.1 79"


def text(batch: Any) -> str:
    renderer = Text(RenderOptions())
    begin = renderer.begin(Snoop().schema)
    return (begin + b"".join(renderer.rows(Snoop().rows(batch)))).decode()


def test_the_lines_of_the_toolkit() -> None:
    rows = [
        row("send", LOCAL, REMOTE, frame_bytes=54, bytes=0),
        row("receive", LOCAL, REMOTE, frame_bytes=66, bytes=12),
    ]
    assert text(batch_of(rows, [FINGER, FINGER])) == HEADER + ROWS


@pytest.mark.parametrize("name", ["finger.pcap", "snaplen-54.pcap"])
def test_the_size_is_that_of_the_whole_frame(
    run_tcpsnoop: RunTcpsnoop, capture: Capture, name: str
) -> None:
    """As the capture itself records it: with padding, and with what a snap length cut off."""
    done = run_tcpsnoop("snoop", "--format", "jsonl", "-r", capture(name))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    recorded = lengths_in(capture(name).read_bytes())
    assert [row["frame_bytes"] for row in rows] == [recorded[row["packet"] - 1] for row in rows]
    assert len(rows) >= 11


def lengths_in(content: bytes) -> list[int]:
    """Original lengths of a little-endian pcap (draft-ietf-opsawg-pcap section 4)."""
    found, at = [], 24
    while at < len(content):
        captured, original = (
            int.from_bytes(content[at + start : at + start + 4], "little") for start in (8, 12)
        )
        found.append(original)
        at += 16 + captured
    return found


def test_an_unknown_size_is_unknown_not_0() -> None:
    batch = batch_of([row("send", LOCAL, REMOTE, frame_bytes=-1, bytes=-1)])
    assert text(batch).splitlines()[1] == (
        "    -      - 192.168.1.5     36398 -> 192.168.1.1        79     - -"
    )
    (found,) = dictionaries(Snoop().rows(batch))
    assert (found["bytes"], found["frame_bytes"]) == (None, None)


def test_every_field_of_a_row() -> None:
    fields = {"packet": 9, "time_ns": START_NS, "flags": PUSH | ACK, "bytes": 3}
    batch = batch_of([row("receive", LOCAL, REMOTE, frame_bytes=60, **fields)], [FINGER])
    assert list(dictionaries(Snoop().rows(batch))[0].items()) == [
        ("packet", 9),
        ("time", "2006-05-13T08:00:00.000000Z"),
        ("uid", 100),
        ("pid", 20892),
        ("laddr", "192.168.1.5"),
        ("lport", 36398),
        ("direction", "<-"),
        ("raddr", "192.168.1.1"),
        ("rport", 79),
        ("bytes", 3),
        ("frame_bytes", 60),
        ("flags", "PUSH|ACK"),
        ("command", "finger"),
        ("attribution", "exact"),
        ("reason", None),
        ("holders", None),
    ]


def test_a_segment_between_two_local_ends_is_its_senders_and_copies_have_rows() -> None:
    rows = [
        row("send", "127.0.0.1 80", "127.0.0.1 5000", packet=1, remote_local=1),
        row("receive", "127.0.0.1 5000", "127.0.0.1 80", packet=1, remote_local=1),
        row("send", LOCAL, REMOTE, packet=2),
        row("send", LOCAL, REMOTE, packet=3, duplicate=1),
    ]
    nobody = Owner(UNKNOWN, reason="gone")
    table = Snoop().rows(batch_of(rows, [FINGER, nobody, FINGER, nobody]))
    found = [(each["packet"], each["pid"], each["reason"]) for each in dictionaries(table)]
    assert found == [(1, 20892, None), (2, 20892, None), (3, None, "gone")]
