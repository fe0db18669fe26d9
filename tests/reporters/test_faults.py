"""The captures with a known fault: what their makers played, as the reports that teach by them.

Every number is that of captures/make/faults.py and failures.py; a segment comes 200 µs after
another unless they say when.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.connlat import Connlat
from tcpsnoop.reporters.life import Life
from tcpsnoop.reporters.refused import Refused
from tcpsnoop.reporters.states import States
from tcpsnoop.reporters.watch import Watch

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
STEP = 0.0002


def rows(reporter: Any, capture: str) -> list[dict[str, Any]]:
    return replay(reporter, CAPTURES / capture)


def test_idle_connections_are_reset_and_one_is_not() -> None:
    found = {row["lport"]: row for row in rows(Life(), "idle-reset.pcap")}
    states = {port: (row["state"], row["end_reason"]) for port, row in found.items()}
    assert states == {
        49152: ("SF", "fin"),
        49153: ("RSTR", "rst_responder"),
        49154: ("RSTR", "rst_responder"),
        49155: ("S1", "end_of_input"),
    }
    sizes = {port: (row["tx_bytes"], row["rx_bytes"]) for port, row in found.items()}
    # Queries of 100 bytes, answers of 1400: one each, two asked and one answered, two each.
    assert sizes == {49152: (100, 1400), 49153: (200, 1400), 49154: (200, 1400), 49155: (200, 2800)}
    # After the first of eleven segments; of seven, a minute and the RST; of seven, two minutes
    # with keep-alives and four more.
    durations = {49152: 10 * STEP, 49153: 60 + 7 * STEP, 49154: 60 + 7 * STEP}
    for port, seconds in (durations | {49155: 120 + 10 * STEP}).items():
        assert found[port]["duration_seconds"] == pytest.approx(seconds, abs=1e-9)
    assert {row["role"] for row in found.values()} == {"originator"}


def test_a_connection_for_each_request() -> None:
    found = rows(Watch(), "churn.pcap")
    events = Counter((row["event"], row["raddr"]) for row in found)
    assert events == {
        ("connect", "198.51.100.20"): 5,
        ("close", "198.51.100.20"): 5,
        ("connect", "198.51.100.21"): 1,
        ("close", "198.51.100.21"): 1,
    }
    assert [row["event"] for row in found] == ["connect", "close"] * 6


def test_a_server_that_closes_at_once_late_and_never() -> None:
    found = rows(States(), "close-wait.pcap")
    waited = {
        row["raddr"]: row["old_state_seconds"] for row in found if row["old_state"] == "CLOSE-WAIT"
    }
    # From the client's FIN: its ACK, then the server's FIN.
    assert waited == {"192.0.2.10": 2 * STEP, "192.0.2.11": 30 + STEP}
    last = {row["raddr"]: row["new_state"] for row in found}
    assert last == {"192.0.2.10": "CLOSED", "192.0.2.11": "CLOSED", "192.0.2.12": "CLOSE-WAIT"}


def test_connects_near_far_lost_and_refused() -> None:
    names = ("lport", "result", "latency_seconds", "retries")
    found = [tuple(row[name] for name in names) for row in rows(Connlat(), "slow-connect.pcap")]
    assert sorted(found) == [
        (49152, "ok", 0.0005, 0),
        (49153, "ok", 0.08, 0),
        (49154, "ok", 1.08, 1),
        (49155, "refused", 0.08, 0),
    ]


def test_each_way_to_fail_has_its_cause() -> None:
    found = rows(Refused(), "failures.pcap")
    assert {(row["raddr"], row["cause"], row["retries"]) for row in found} == {
        ("198.51.100.80", "refused", 0),
        ("203.0.113.90", "unreachable", 0),
        ("203.0.113.90", "timeout", 0),
        ("203.0.113.80", "timeout", 3),
        ("203.0.113.99", "forged reset", None),
    }
    by_cause = {row["cause"]: row for row in found}
    assert by_cause["unreachable"]["icmp"] == "administratively prohibited"
    assert by_cause["unreachable"]["icmp_sender"] == "203.0.113.1"
    assert by_cause["unreachable"]["elapsed_seconds"] == 0.005
    assert (by_cause["forged reset"]["ttl"], by_cause["forged reset"]["ttl_before"]) == (60, 52)
    assert by_cause["refused"]["elapsed_seconds"] == 0.08
