"""`top`: who moved how much, the largest first; whose connection it is; what is above the rows."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.owners import EXACT, LISTENER, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.interfaces.reporter import WatchedReporter
from tcpsnoop.report import Report
from tcpsnoop.reporters.top import Top
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries, text

NGINX = Owner(EXACT, Process(41, 7, "nginx", uid=33))
CURL = Owner(EXACT, Process(500, 9, "curl", uid=1000))
GONE = Owner(UNKNOWN, reason="gone")
LATE = Owner(UNKNOWN, reason="not in time")

Segment = tuple[dict[str, Any], Owner]


def segment(
    local: str, remote: str, size: int, owner: Owner, probe: str = "send", **fields: int
) -> Segment:
    """A segment of so many bytes, in a frame of 54 more."""
    known = {"bytes": size, "frame_bytes": size + 54, "time_ns": START_NS}
    return row(probe, f"10.0.0.1 {local}", f"10.9.9.9 {remote}", **(known | fields)), owner


def report_of(*segments: Segment, **options: Any) -> Report:
    reporter = Top(**options)
    reporter.observe(batch_of([each for each, _ in segments], [owner for _, owner in segments]))
    return reporter.report()


def rows_of(*segments: Segment, **options: Any) -> list[dict[str, Any]]:
    return dictionaries(report_of(*segments, **options).table)


TRAFFIC = (
    segment("80", "5000", 1024, NGINX),
    segment("80", "5000", 300, NGINX, "receive"),
    segment("80", "5001", 2048, NGINX),
    segment("80", "5000", 1024, NGINX),
    segment("6000", "443", 512, CURL, "receive"),
)


def test_the_blocks_of_connections() -> None:
    report = report_of(*TRAFFIC)
    assert text(report) == (
        "TCPin:    0.8 KB,  TCPout:    4.0 KB\n"
        "\n"
        "   PID LADDR           LPORT RADDR           RPORT    RX_KB    TX_KB NAME\n"
        "    41 10.0.0.1           80 10.9.9.9         5000      0.3      2.0 nginx\n"
        "    41 10.0.0.1           80 10.9.9.9         5001      0.0      2.0 nginx\n"
        "   500 10.0.0.1         6000 10.9.9.9          443      0.5      0.0 curl\n"
    )
    assert report.largest_first


def test_the_blocks_of_processes() -> None:
    assert text(report_of(*TRAFFIC, by_process=True, no_summary=True)) == (
        "  UID    PID      RX_KB      TX_KB         SIZE NAME\n"
        "   33     41        0.3        4.0         4612 nginx\n"
        " 1000    500        0.5        0.0          566 curl\n"
    )


def test_every_field_of_a_row() -> None:
    first, *_ = rows_of(*TRAFFIC)
    assert list(first.items()) == [
        ("pid", 41),
        ("command", "nginx"),
        ("uid", 33),
        ("laddr", "10.0.0.1"),
        ("lport", 80),
        ("raddr", "10.9.9.9"),
        ("rport", 5000),
        ("tx_payload", 2048),
        ("rx_payload", 300),
        ("bytes", 2348),
        ("frame_bytes", 2348 + 3 * 54),
        ("attribution", "exact"),
        ("reason", None),
        ("holders", None),
    ]
    first, *_ = rows_of(*TRAFFIC, by_process=True)
    assert list(first) == [
        "pid",
        "command",
        "uid",
        "tx_payload",
        "rx_payload",
        "bytes",
        "frame_bytes",
        "attribution",
        "reason",
        "holders",
    ]


def test_copies_of_frames_do_not_count() -> None:
    (found,) = rows_of(
        segment("80", "5000", 10, NGINX), segment("80", "5000", 10, NGINX, duplicate=1)
    )
    assert (found["bytes"], found["frame_bytes"]) == (10, 64)


def test_each_local_end_of_a_connection_has_a_row() -> None:
    sent = row("send", "127.0.0.1 80", "127.0.0.1 5000", bytes=7, remote_local=1)
    received = row("receive", "127.0.0.1 5000", "127.0.0.1 80", bytes=7, remote_local=1)
    found = rows_of((sent, NGINX), (received, CURL))
    assert [(each["pid"], each["tx_payload"], each["rx_payload"]) for each in found] == [
        (41, 7, 0),
        (500, 0, 7),
    ]


def test_a_connections_process_is_the_one_that_moved_most_of_it() -> None:
    inetd = Owner(LISTENER, Process(2, 1, "inetd"))
    segments = (
        segment("79", "5000", 0, LATE),
        segment("79", "5000", 3, inetd, "receive"),
        segment("79", "5000", 120, NGINX),
        segment("79", "5000", 900, GONE),
    )
    (found,) = rows_of(*segments)
    assert (found["pid"], found["bytes"], found["attribution"]) == (41, 1023, "exact")
    by_process = rows_of(*segments, by_process=True)
    assert [(each["pid"], each["reason"], each["bytes"]) for each in by_process] == [
        (None, "gone", 900),
        (41, None, 120),
        (2, None, 3),
        (None, "not in time", 0),
    ]


def test_ties_of_processes_go_to_the_first() -> None:
    late = segment("80", "5000", 5, NGINX, time_ns=START_NS + 2)
    early = segment("80", "5000", 5, CURL, time_ns=START_NS + 1)
    assert [each["pid"] for each in rows_of(late, early)] == [500]


def test_who_is_not_known_has_a_row_with_the_reason() -> None:
    both = Owner(SHARED, holders=(Process(8, 1, "a"), Process(9, 1, "b")))
    report = report_of(
        segment("80", "1", 3, GONE),
        segment("80", "2", 2, LATE),
        segment("80", "3", 1, both),
        by_process=True,
    )
    names = [line[48:] for line in text(report).splitlines()[3:]]
    assert names == ["(gone)", "(not in time)", "a (8), b (9)"]


def test_rows_descend_and_equal_ones_have_an_order() -> None:
    """By payload, then frames, then process, remote address as text, local one, ports."""
    segments = [
        segment("80", str(port), size, owner, frame_bytes=frame)
        for port, size, owner, frame in (
            (9, 0, NGINX, 54),
            (10, 0, NGINX, 60),
            (2, 0, NGINX, 54),
            (3, 0, Owner(EXACT, Process(7, 1, "x")), 54),
            (4, 1, NGINX, 54),
        )
    ]
    assert [each["rport"] for each in rows_of(*segments)] == [4, 10, 3, 2, 9]


def test_lengths_that_nobody_knows_are_told() -> None:
    report = report_of(
        segment("80", "5000", -1, NGINX, frame_bytes=-1),
        segment("80", "5000", 5, NGINX),
        segment("80", "5001", 3, NGINX),
    )
    assert report.notes == ("1 segment of unknown length not counted",)
    found = [(each["bytes"], each["frame_bytes"]) for each in dictionaries(report.table)]
    assert found == [(5, None), (3, 57)]


def test_a_frame_that_was_cut_may_have_a_payload_that_is_known() -> None:
    report = report_of(segment("80", "5000", 9, NGINX, frame_bytes=-1))
    assert report.notes == ()
    (found,) = dictionaries(report.table)
    assert (found["bytes"], found["frame_bytes"]) == (9, None)


@pytest.mark.parametrize("by_process", [False, True])
def test_beyond_the_cap_the_others_are_the_last_row(by_process: bool) -> None:
    segments = [
        segment("80", str(5000 + n), 10 * n, Owner(EXACT, Process(n, 1, "x"))) for n in range(1, 9)
    ]
    report = report_of(*segments, by_process=by_process, max_keys=3)
    found = dictionaries(report.table)
    assert len(found) == 4
    assert sum(each["bytes"] for each in found) == 360
    sizes = [each["bytes"] for each in found[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    assert found[-1]["pid"] is None
    if not by_process:
        assert [found[-1][name] for name in ("laddr", "lport", "raddr", "rport")] == [None] * 4
    assert text(report).splitlines()[-1].endswith(" (other)")
    assert len(report.notes) == 1
    above = text(report).splitlines()[0]
    assert above == "TCPin:    0.0 KB,  TCPout:    0.4 KB", "sums are of all"


def test_the_options_of_ends_choose_rows() -> None:
    assert [each["lport"] for each in rows_of(*TRAFFIC, localport="6000")] == [6000]
    assert rows_of(*TRAFFIC, ipv6=True) == []


def test_nothing_is_sums_of_nothing_and_a_header() -> None:
    for by_process in (False, True):
        lines = text(Top(by_process=by_process).report()).splitlines()
        assert lines[:2] == ["TCPin:    0.0 KB,  TCPout:    0.0 KB", ""]
        assert len(lines) == 3


def test_it_is_watched_and_in_place_unless_told_otherwise() -> None:
    top: Any = Top()
    assert isinstance(top, WatchedReporter)
    assert (top.interval_seconds, top.in_place) == (1.0, True)
    assert not Top(no_clear=True).in_place


def test_the_sums_of_a_capture_are_those_of_the_report_bytes(
    run_tcpsnoop: RunTcpsnoop, capture: Capture
) -> None:
    """Two ways to the same: by connection and by host."""
    sums = {"top": [0, 0], "bytes": [0, 0]}
    for name, both in sums.items():
        done = run_tcpsnoop(name, "-n", "--format", "csv", "-r", capture("service.pcap"))
        header, *lines = [line.split(",") for line in done.stdout.splitlines()]
        for number, column in enumerate(("tx_payload", "rx_payload")):
            both[number] = sum(int(line[header.index(column)]) for line in lines)
    assert sums["top"] == sums["bytes"]
    assert min(sums["top"]) > 0


def test_sorted_by_another_field_the_largest_stays_first(
    run_tcpsnoop: RunTcpsnoop, capture: Capture
) -> None:
    def column(*options: str) -> list[int]:
        form = ("--format", "csv", "--no-header", "-r", capture("service.pcap"))
        lines = run_tcpsnoop("top", *form, *options).stdout.splitlines()
        return [int(line.split(",")[8]) for line in lines]

    received = column("--sort", "rx_payload")
    assert received == sorted(column(), reverse=True)
    assert column("--sort", "rx_payload", "--top", "2") == received[:2]
