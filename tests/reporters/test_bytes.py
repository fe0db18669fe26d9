"""`bytes`: the line of tcpbytes, both directions, what is counted and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.bytes import Bytes
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
HEADER = f"  {'REMOTE':<32} {'LPORT':<6} {'SENT':>10} {'RECEIVED':>10} {'BYTES':>16}\n"


def sent(size: int, local: str, remote: str, **fields: int) -> dict[str, Any]:
    return row("send", local, remote, bytes=size, **fields)


def received(size: int, local: str, remote: str, **fields: int) -> dict[str, Any]:
    return row("receive", local, remote, bytes=size, **fields)


def observed(*rows: dict[str, Any], **options: Any) -> Bytes:
    reporter = Bytes(**options)
    reporter.observe(batch_of(rows))
    return reporter


def found(reporter: Bytes) -> list[tuple[Any, ...]]:
    names = ("raddr", "lport", "tx_payload", "rx_payload", "bytes")
    return [tuple(each[n] for n in names) for each in dictionaries(reporter.report().table)]


def test_the_line_is_that_of_tcpbytes_with_both_directions() -> None:
    reporter = observed(
        sent(100, "10.0.0.1 22", "192.168.1.109 50000"),
        received(23, "10.0.0.1 22", "192.168.1.109 50001"),
        received(7, "::1 80", "2001:db8::1 50001"),
    )
    assert text(reporter.report()) == HEADER + (
        f"  {'2001:db8::1':<32} {'80':<6} {0:>10} {7:>10} {7:>16}\n"
        f"  {'192.168.1.109':<32} {'22':<6} {100:>10} {23:>10} {123:>16}\n"
    )


def test_rows_ascend_by_the_sum_then_address_as_text_then_port() -> None:
    reporter = observed(
        sent(5, "10.0.0.1 80", "9.9.9.9 1"),
        received(5, "10.0.0.1 443", "10.0.0.9 1"),
        sent(2, "10.0.0.1 80", "10.0.0.9 1"),
        received(3, "10.0.0.1 80", "10.0.0.9 1"),
        sent(4, "10.0.0.1 80", "8.8.8.8 1"),
    )
    assert found(reporter) == [
        ("8.8.8.8", 80, 4, 0, 4),
        ("10.0.0.9", 80, 2, 3, 5),
        ("10.0.0.9", 443, 0, 5, 5),
        ("9.9.9.9", 80, 5, 0, 5),
    ]


def test_a_segment_sent_again_counts_again_and_a_copy_of_a_frame_does_not() -> None:
    again = sent(10, "10.0.0.1 80", "9.9.9.9 1")
    reporter = observed(again, again, again | {"duplicate": 1})
    assert found(reporter) == [("9.9.9.9", 80, 20, 0, 20)]


def test_with_remote_only_ports_are_put_together() -> None:
    rows = [sent(1, f"10.0.0.1 {port}", "9.9.9.9 1") for port in (80, 443, 22)]
    reporter = observed(*rows, remote_only=True)
    assert found(reporter) == [("9.9.9.9", None, 3, 0, 3)]


def test_what_has_no_known_length_is_told() -> None:
    rows = [sent(-1, "10.0.0.1 80", "9.9.9.9 1"), sent(3, "10.0.0.1 80", "9.9.9.9 1")]
    reporter = observed(*rows)
    assert found(reporter) == [("9.9.9.9", 80, 3, 0, 3)]
    assert reporter.report().notes == ("1 segment of unknown length not counted",)
    reporter.merge(observed(*rows))
    assert reporter.report().notes == ("2 segments of unknown length not counted",)


def test_beyond_the_cap_the_rest_is_one_row_and_a_note() -> None:
    rows = [sent(size, "10.0.0.1 80", f"9.9.9.{size} 1") for size in (1, 2, 4, 8)]
    report = observed(*rows, max_keys=1).report()
    kept, other = dictionaries(report.table)
    assert other["raddr"] is None
    assert other["lport"] is None
    assert other["hostname"] == "(other)"
    assert kept["bytes"] + other["bytes"] == 15
    assert kept["raddr"] == f"9.9.9.{kept['bytes']}"
    assert report.notes == ("more than 1 keys (--max-keys): what the others have is in (other)",)


def test_each_client_of_the_service_has_what_the_manifest_says() -> None:
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["service.pcap"]["payload"]
    expected = {
        (each["raddr"], each["lport"]): (each["tx"], each["rx"], each["tx"] + each["rx"])
        for each in truth
    }
    rows = replay(Bytes(), CAPTURES / "service.pcap")
    assert {
        (each["raddr"], each["lport"]): (each["tx_payload"], each["rx_payload"], each["bytes"])
        for each in rows
    } == expected


def test_with_both_ends_local_what_one_sent_the_other_received() -> None:
    """The capture has each packet twice, which is once for the sums, at each of the two ends."""
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["cooked-loopback.pcap"]
    rows = replay(Bytes(), CAPTURES / "cooked-loopback.pcap")
    assert sum(each["tx_payload"] for each in rows) == truth["payload_bytes"] // 2
    assert sum(each["rx_payload"] for each in rows) == truth["payload_bytes"] // 2
    assert len(rows) == 2 * truth["connections"]
