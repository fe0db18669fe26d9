"""`watch`: the lines of tcptracer's manual, and which ends of connections are closes."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.owners import HOLDER, Owner, Process
from tcpsnoop.batches.probes import CONN_STATES, END_REASONS
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.watch import Watch
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

# The example of tcptracer's manual, without the blanks at the ends of its lines.
MANUAL = """\
T  PID    COMM             IP SADDR            DADDR            SPORT  DPORT
C  28943  telnet           4  192.168.1.2      192.168.1.1      59306  23
C  28818  curl             6  [::1]            [::1]            55758  80
X  28943  telnet           4  192.168.1.2      192.168.1.1      59306  23
A  28817  nc               6  [::1]            [::1]            80     55758
X  28818  curl             6  [::1]            [::1]            55758  80
X  28817  nc               6  [::1]            [::1]            80     55758
"""


def closed(local: str, remote: str, state: str = "SF", reason: str = "fin") -> dict[str, Any]:
    codes = {"conn_state": CONN_STATES.index(state), "end_reason": END_REASONS.index(reason)}
    return row("closed", local, remote, **codes)


def test_the_lines_of_the_manual() -> None:
    telnet = ("192.168.1.2 59306", "192.168.1.1 23")
    curl, nc = ("::1 55758", "::1 80"), ("::1 80", "::1 55758")
    events = [
        row("connect-established", *telnet),
        row("connect-established", *curl),
        closed(*telnet),
        row("accept-established", *nc),
        closed(*curl),
        closed(*nc),
    ]
    processes = {
        telnet: Process(28943, 1, "telnet"),
        curl: Process(28818, 1, "curl"),
        nc: Process(28817, 1, "nc"),
    }
    whose = [telnet, curl, telnet, nc, curl, nc]
    batch = batch_of(events, [Owner(HOLDER, processes[ends]) for ends in whose])
    renderer = Text(RenderOptions())
    begin = renderer.begin(Watch().schema)
    assert (begin + b"".join(renderer.rows(Watch().rows(batch)))).decode() == MANUAL


@pytest.mark.parametrize(
    ("state", "reason", "is_close"),
    [
        ("SF", "fin", True),
        ("RSTO", "rst_originator", True),
        ("RSTR", "rst_responder", True),
        ("S1", "reused", True),
        ("S2", "reused", True),
        ("S3", "reused", True),
        ("OTH", "fin", True),
        ("S1", "end_of_input", False),
        ("S1", "evicted", False),
        ("S1", "idle", False),
        ("S0", "reused", False),
        ("REJ", "rst_responder", False),
        ("RSTOS0", "rst_originator", False),
        ("RSTRH", "rst_responder", False),
        ("SH", "fin", False),
        ("SHR", "fin", False),
    ],
)
def test_a_close_is_the_end_of_what_was_established(
    state: str, reason: str, is_close: bool
) -> None:
    batch = batch_of([closed("10.0.0.1 5000", "10.0.0.2 80", state, reason)])
    found = dictionaries(Watch().rows(batch))
    assert [each["event"] for each in found] == (["close"] if is_close else [])


def test_every_field_of_a_row() -> None:
    events = [
        row("accept-established", "10.0.0.1 80", "10.0.0.2 5000", time_ns=START_NS + 1_000),
        closed("10.0.0.1 80", "10.0.0.2 5000", "RSTO", "rst_originator"),
    ]
    accept, close = dictionaries(Watch().rows(batch_of(events)))
    assert list(accept.items()) == [
        ("time", "2006-05-13T08:00:00.000001Z"),
        ("event", "accept"),
        ("pid", None),
        ("command", None),
        ("laddr", "10.0.0.1"),
        ("lport", 80),
        ("raddr", "10.0.0.2"),
        ("rport", 5000),
        ("end_reason", None),
        ("attribution", "unknown"),
        ("reason", "not recorded"),
        ("holders", None),
    ]
    assert (close["event"], close["end_reason"]) == ("close", "rst_originator")


def test_the_options_of_ends_choose_rows() -> None:
    events = [
        closed("10.0.0.1 80", "10.0.0.2 5000", "S1", "end_of_input"),
        row("accept-established", "10.0.0.1 22", "10.0.0.2 5001"),
        row("accept-established", "10.0.0.1 80", "10.0.0.2 5002"),
    ]
    table = Watch(localport="80").rows(batch_of(events))
    assert [each["rport"] for each in dictionaries(table)] == [5002]
    assert table.origin is not None
    assert table.origin.tolist() == [2]
