"""`firstbyte`: turns by server, what is taken off, servers that speak first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.firstbyte import Firstbyte
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
MS = 1_000_000
SERVER, CLIENT = "10.0.0.1 80", "9.9.9.9 50000"


def turn(elapsed_ns: int, latency_ns: int = -1, **fields: int) -> dict[str, Any]:
    """Seen from the server."""
    details = {"elapsed_ns": elapsed_ns, "latency_ns": latency_ns, "kind": 0}
    return row("first-byte", SERVER, CLIENT, outgoing=1, end=RESPONDER, **(details | fields))


def from_client(elapsed_ns: int, latency_ns: int = -1, **fields: int) -> dict[str, Any]:
    details = {"elapsed_ns": elapsed_ns, "latency_ns": latency_ns, "kind": 0}
    return row("first-byte", CLIENT, SERVER, outgoing=0, end=ORIGINATOR, **(details | fields))


def observed(*rows: dict[str, Any], **options: Any) -> Firstbyte:
    reporter = Firstbyte(**options)
    reporter.observe(batch_of(rows))
    return reporter


def rows_of(reporter: Firstbyte) -> list[dict[str, Any]]:
    return dictionaries(reporter.report().table)


def test_both_times_have_rows_by_server() -> None:
    found = rows_of(observed(turn(5 * MS, 3 * MS), turn(7 * MS, 5 * MS)))
    assert [(each["measure"], each["min_ns"], each["max_ns"]) for each in found] == [
        ("app_latency", 3 * MS, 5 * MS),
        ("first_byte", 5 * MS, 7 * MS),
    ]
    assert {(each["address"], each["port"], each["since"]) for each in found} == {
        ("10.0.0.1", 80, "request")
    }


def test_an_unknown_latency_is_not_zero() -> None:
    (found,) = rows_of(observed(turn(5 * MS)))
    assert (found["measure"], found["count"]) == ("first_byte", 1)


def test_a_server_is_the_one_that_sends_whoever_is_local() -> None:
    (found,) = rows_of(observed(from_client(2 * MS), turn(4 * MS)))
    assert (found["address"], found["port"], found["count"]) == ("10.0.0.1", 80, 2)


def test_with_both_ends_local_a_turn_counts_once() -> None:
    rows = (turn(MS, remote_local=1), from_client(MS, remote_local=1))
    (found,) = rows_of(observed(*rows))
    assert found["count"] == 1


def test_a_greeting_has_a_row_of_its_own() -> None:
    report = observed(turn(5 * MS), turn(250 * MS, 249 * MS, kind=1)).report()
    assert text(report) == (
        "WHAT         SERVER          PORT     COUNT      MIN   MEDIAN      P95      P99"
        "      MAX (ms)\n"
        "greeting app 10.0.0.1        80           1  249.000  249.000  249.000  249.000  249.000\n"
        "first byte   10.0.0.1        80           1    5.000    5.000    5.000    5.000    5.000\n"
        "greeting     10.0.0.1        80           1  250.000  250.000  250.000  250.000  250.000\n"
    )
    assert [each["since"] for each in dictionaries(report.table)] == [
        "handshake",
        "request",
        "handshake",
    ]


def test_histograms_are_in_nanoseconds() -> None:
    lines = text(observed(turn(5 * MS), histogram=True).report()).splitlines()
    assert lines[0] == "  first byte 10.0.0.1 80     (ns)"
    assert lines[4].split() == ["4194304", "|" + "@" * 40, "1"]


@pytest.mark.parametrize("measure", ["first_byte", "app_latency"])
def test_one_measure_alone(measure: str) -> None:
    assert [each["measure"] for each in rows_of(observed(turn(5, 3), measure=measure))] == [measure]


def test_the_slowest_server_of_a_measure_is_its_last() -> None:
    rows = [turn(ms * MS, laddr_low=0xFFFF_0A00_0000 + ms) for ms in (9, 1, 5)]
    assert [each["address"] for each in rows_of(observed(*rows))] == [
        "10.0.0.1",
        "10.0.0.5",
        "10.0.0.9",
    ]


def test_beyond_the_cap_greetings_are_not_mixed_with_answers() -> None:
    rows = [turn(MS, lport=port, kind=kind) for port in (25, 80, 110) for kind in (0, 1)]
    report = observed(*rows, max_keys=1).report()
    others = [each for each in dictionaries(report.table) if each["hostname"] == "(other)"]
    assert [(each["since"], each["count"], each["port"]) for each in others] == [
        ("request", 2, None),
        ("handshake", 2, None),
    ]


def test_turns_of_the_service_are_those_of_the_manifest() -> None:
    """The slow answer is the largest of its row; what is left is the rest of it."""
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["service.pcap"]["first_bytes"]
    found = replay(Firstbyte(measure="first_byte"), CAPTURES / "service.pcap")
    for each in found:
        greets = each["since"] == "handshake"
        mine = [t for t in truth if (t["lport"], t["server_first"]) == (each["port"], greets)]
        assert each["count"] == sum(t["count"] for t in mine)
        assert each["max_ns"] == max(t["ns"] for t in mine)
        assert each["min_ns"] == min(t["ns"] for t in mine)
    assert len(found) == len({(t["lport"], t["server_first"]) for t in truth})
