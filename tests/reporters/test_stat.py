"""`stat`: what each counter counts, by port, by interval, from either side of a download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER, RETRANSMISSIONS
from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.stat import Stat
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
CLIENT, SERVER = "192.0.2.10", "198.51.100.20"
LOCAL, REMOTE = "10.0.0.1 80", "9.9.9.9 50000"


def fired(probe: str, *, remote: str = REMOTE, **fields: int) -> dict[str, Any]:
    """A probe of the responder on port 80."""
    return row(probe, LOCAL, remote, end=RESPONDER, **fields)


def repeat(kind: str, *, overlap: int, outgoing: int) -> dict[str, Any]:
    number = RETRANSMISSIONS.index(kind)
    return fired("repeat", kind=number, overlap=overlap, outgoing=outgoing, bytes=1000)


def counted(*rows: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    reporter = Stat(**options)
    reporter.observe(batch_of(rows))
    return dictionaries(reporter.report().table)


def told(row_of_report: dict[str, Any]) -> dict[str, int]:
    """The counters that are not 0."""
    return {name: value for name, value in row_of_report.items() if value}


@pytest.mark.parametrize(
    ("row_of_probe", "expected"),
    [
        (fired("send", bytes=100), {"out_segments": 1, "out_bytes": 100}),
        (fired("receive", bytes=7), {"in_segments": 1, "in_bytes": 7}),
        (
            repeat("timeout", overlap=536, outgoing=1),
            {"retransmitted_segments": 1, "retransmitted_bytes": 536},
        ),
        (repeat("handshake", overlap=0, outgoing=1), {"retransmitted_segments": 1}),
        (
            repeat("spurious", overlap=1000, outgoing=0),
            {"duplicate_segments": 1, "duplicate_bytes": 1000},
        ),
        (repeat("unseen", overlap=0, outgoing=0), {}),
        (
            fired("out-of-order", bytes=1000, outgoing=0),
            {"out_of_order_segments": 1, "out_of_order_bytes": 1000},
        ),
        (fired("out-of-order", bytes=1000, outgoing=1), {}),
        (fired("connect-established"), {"opened": 1}),
        (fired("accept-established"), {"accepted": 1}),
        (fired("connect-refused"), {"refused": 1}),
        (fired("accept-refused"), {"denied": 1}),
        (fired("reset"), {"reset": 1}),
    ],
    ids=lambda each: each.get("probe") if isinstance(each, dict) else None,
)
def test_what_each_probe_counts(row_of_probe: dict[str, Any], expected: dict[str, int]) -> None:
    assert [told(each) for each in counted(row_of_probe, row_of_probe)] == [
        {name: 2 * value for name, value in expected.items()}
    ]


def test_copies_of_frames_are_not_counted_and_unknown_lengths_are_told() -> None:
    reporter = Stat()
    rows = [fired("send", bytes=-1), fired("send", bytes=5), fired("send", bytes=9, duplicate=1)]
    reporter.observe(batch_of(rows))
    (found,) = dictionaries(reporter.report().table)
    assert told(found) == {"out_segments": 2, "out_bytes": 5}
    assert reporter.report().notes == ("1 segment of unknown length not counted",)


def test_the_line_of_a_whole_capture() -> None:
    reporter = Stat()
    rows = [fired("send", bytes=1460), fired("receive", bytes=0), fired("accept-established")]
    reporter.observe(batch_of(rows))
    assert text(reporter.report()) == (
        "OUT_SEG  OUT_BYTES  IN_SEG   IN_BYTES  RETR   DUP UNORD  OPEN ACCPT REFUS  DENY RESET\n"
        "      1       1460       1          0     0     0     0     0     1     0     0     0\n"
    )


def test_by_port_it_is_the_responders_on_either_side() -> None:
    rows = [
        fired("send", bytes=1),
        row("send", "10.0.0.1 50000", "9.9.9.9 443", end=ORIGINATOR, bytes=1),
        row("receive", "10.0.0.1 50001", "9.9.9.9 443", end=ORIGINATOR, bytes=1),
    ]
    assert [
        (each["port"], each["out_bytes"], each["in_bytes"]) for each in counted(*rows, by_port=True)
    ] == [
        (80, 1, 0),
        (443, 1, 1),
    ]


def test_beyond_the_cap_the_other_ports_are_one_row() -> None:
    rows = [row("send", f"10.0.0.1 {port}", REMOTE, end=RESPONDER) for port in (1, 2, 3)]
    found = counted(*rows, by_port=True, max_keys=1)
    assert [(each["service"], each["out_segments"]) for each in found] == [
        (None, 1),
        ("(other)", 2),
    ]


def test_nothing_is_a_header_alone() -> None:
    assert text(Stat().report()).count("\n") == 1


def test_the_sender_of_a_download_sees_what_it_sent_again() -> None:
    """loss.pcap: fast, time-out twice, unseen, spurious, and a FIN; nothing came in twice."""
    (found,) = replay(Stat(), CAPTURES / "loss.pcap", local=[SERVER])
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["loss.pcap"]
    repeats = [n for name, n in truth["events"].items() if name.startswith("retransmit")]
    assert found["retransmitted_segments"] == sum(repeats)
    assert found["retransmitted_bytes"] == truth["retransmitted_bytes"]
    assert found["duplicate_segments"] == found["out_of_order_segments"] == 0
    assert (found["opened"], found["accepted"]) == (0, 1)


def test_the_receiver_of_it_sees_what_came_twice_and_what_came_late() -> None:
    """What was lost before the capture came once."""
    (found,) = replay(Stat(), CAPTURES / "loss.pcap", local=[CLIENT])
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["loss.pcap"]
    events = truth["events"]
    kinds = ("fast", "timeout", "spurious", "handshake")
    assert found["duplicate_segments"] == sum(events[f"retransmit {kind}"] for kind in kinds)
    assert found["duplicate_bytes"] == truth["retransmitted_bytes"]
    assert found["out_of_order_segments"] == events["out-of-order"]
    assert found["out_of_order_bytes"] == 1000
    assert found["retransmitted_segments"] == 0
    assert (found["opened"], found["accepted"]) == (1, 0)


def test_with_both_ends_local_each_counts_at_its_end() -> None:
    (found,) = replay(Stat(), CAPTURES / "loss.pcap", local=[CLIENT, SERVER])
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["loss.pcap"]
    assert found["out_segments"] == found["in_segments"] == truth["tcp_segments"]
    assert found["out_bytes"] == found["in_bytes"] == truth["payload_bytes"]
    assert found["retransmitted_bytes"] == found["duplicate_bytes"] == truth["retransmitted_bytes"]


def test_intervals_add_up(run_tcpsnoop: RunTcpsnoop, capture: Capture) -> None:
    words = ("stat", "-q", "--format", "jsonl", "-r", capture("service.pcap"))
    (whole,) = map(json.loads, run_tcpsnoop(*words).stdout.splitlines())
    parts = [
        json.loads(line) for line in run_tcpsnoop(*words, "--interval", "0.1").stdout.splitlines()
    ]
    assert len(parts) > 5
    names = [name for name in whole if name not in ("port", "service")]
    assert {name: sum(part[name] for part in parts) for name in names} == {
        name: whole[name] for name in names
    }
    assert whole["out_segments"] + whole["in_segments"] == 292
