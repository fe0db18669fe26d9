"""One report on its way out: which probes and rows, in which order, with which leading fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.engine.outlet import Outlet
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import Reporter
from tcpsnoop.names.hosts import Address
from tcpsnoop.names.namer import Namer
from tcpsnoop.renderers.csv import Csv
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.report import Interval, Report
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.io import Io
from tcpsnoop.reporters.top import Top
from tests.probe_batches import START_NS, batch_of, row

NUMERIC = Namer(True, {}, False).name


class Kept:
    """A sink."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, pieces: Iterable[bytes]) -> None:
        self.content += b"".join(pieces)

    def rows(self) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.content.splitlines()]
        self.content = b""
        return rows


def outlet_of(reporter: Reporter, sink: Kept, **options: Any) -> Outlet:
    outlet = Outlet("mine", reporter, sink, options.pop("name_columns", NUMERIC), **options)
    outlet.begin(Jsonl(RenderOptions()))
    return outlet


def accepted(*ports: int, client: str = "192.0.2.9") -> list[dict[str, Any]]:
    return [
        row("accept-established", f"10.0.0.1 {port}", f"{client} {number + 1}")
        for number, port in enumerate(ports)
    ]


def observe(outlet: Outlet, rows: Sequence[dict[str, Any]]) -> None:
    outlet.observe(batch_of(rows), [CaptureInterface(1)], None)


def test_a_reporter_gets_the_probes_it_attached_to_alone() -> None:
    sink = Kept()
    outlet = outlet_of(Accept(), sink)
    observe(outlet, [row("send", "10.0.0.1 1", "10.0.0.2 2"), *accepted(80)])
    observe(outlet, [row("send", "10.0.0.1 1", "10.0.0.2 2")])
    outlet.report()
    assert [(each["lport"], each["count"]) for each in sink.rows()] == [(80, 1)]


def test_a_report_begins_anew_and_leaves_its_reporter_alone() -> None:
    sink, reporter = Kept(), Accept()
    outlet = outlet_of(reporter, sink)
    observe(outlet, accepted(80))
    outlet.report()
    assert len(sink.rows()) == 1
    outlet.report()
    assert sink.rows() == []
    assert len(reporter.report().table) == 0


def test_what_is_closed_is_written_later_and_knows_nothing_newer() -> None:
    sink = Kept()
    outlet = outlet_of(Accept(), sink)
    observe(outlet, accepted(80))
    write = outlet.closing()
    observe(outlet, accepted(81, 82))
    assert sink.content == b""
    write()
    assert [each["lport"] for each in sink.rows()] == [80]
    outlet.report()
    assert [each["lport"] for each in sink.rows()] == [81, 82]


def test_a_log_writes_its_rows_as_they_come() -> None:
    sink = Kept()
    outlet = Outlet("io", Io(), sink, NUMERIC)
    assert outlet.is_log
    outlet.begin(Csv(RenderOptions()))
    header = sink.content
    assert header.startswith(b"packet,time,")
    observe(outlet, [row("send", "10.0.0.1 1", "10.0.0.2 2", packet=7)])
    assert sink.content.removeprefix(header).startswith(b"7,")
    outlet.report()
    assert sink.content.count(b"\n") == 2


def test_reports_of_nothing_can_be_left_out() -> None:
    sink = Kept()
    outlet = Outlet("mine", Accept(), sink, NUMERIC)
    outlet.begin(Csv(RenderOptions()))
    outlet.report(Interval(START_NS, 6), skip_empty=True)
    assert sink.content == b""
    outlet.report(Interval(START_NS, 6))
    assert sink.content


def test_leading_fields_stand_first() -> None:
    sink = Kept()
    outlet = outlet_of(Accept(), sink, leading=("interval", "report"))
    observe(outlet, accepted(80, 81))
    outlet.report(Interval(START_NS, 3))
    for each in sink.rows():
        assert list(each)[:3] == ["report", "interval", "raddr"]
        assert (each["report"], each["interval"]) == ("mine", "2006-05-13T08:00:00.000Z")


def test_rows_of_a_log_say_their_file() -> None:
    sink = Kept()
    outlet = outlet_of(Io(), sink, leading=("file",), files=("a.pcap", "b.pcap"))
    rows = [row("send", "10.0.0.1 1", "10.0.0.2 2", interface=number) for number in (2, 0, 1)]
    interfaces = [CaptureInterface(1, file=file) for file in (0, 0, 1)]
    outlet.observe(batch_of(rows), interfaces, None)
    found = sink.rows()
    assert [each["file"] for each in found] == ["b.pcap", "a.pcap", "a.pcap"]
    assert list(found[0])[:2] == ["file", "packet"]


PORTS = (443, 80, 80, 22, 80, 443)  # counts: 22 once, 443 twice, 80 three times


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [22, 443, 80]),
        ({"top": 2}, [443, 80]),
        ({"top": 9}, [22, 443, 80]),
        ({"sort": "lport"}, [22, 80, 443]),
        ({"sort": "lport", "top": 1}, [443]),
        ({"sort": "count"}, [22, 443, 80]),
    ],
)
def test_order_and_the_largest(options: dict[str, Any], expected: list[int]) -> None:
    sink = Kept()
    outlet = outlet_of(Accept(), sink, **options)
    observe(outlet, accepted(*PORTS))
    outlet.report()
    assert [each["lport"] for each in sink.rows()] == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"top": 2}, [3, 2]),
        ({"top": 9}, [3, 2, 1]),
        ({"sort": "lport"}, [2, 1, 3]),
        ({"sort": "rx_payload"}, [3, 2, 1]),
        ({"sort": "lport", "top": 1}, [2]),
    ],
)
def test_where_the_largest_is_first_it_stays_so(
    options: dict[str, Any], expected: list[int]
) -> None:
    """Ties under --sort keep the report's own order: all received nothing."""
    sink = Kept()
    outlet = outlet_of(Top(), sink, **options)
    sizes = {1: 10, 2: 20, 3: 30}
    ports = {1: 80, 2: 443, 3: 22}
    ends = {n: (f"10.0.0.1 {ports[n]}", f"10.0.0.2 {n}") for n in sizes}
    observe(outlet, [row("send", *ends[n], bytes=size) for n, size in sizes.items()])
    outlet.report()
    assert [each["rport"] for each in sink.rows()] == expected


def test_sorting_by_names_looks_them_up_first() -> None:
    sink = Kept()
    hosts: dict[Address, str] = {}
    batch = batch_of(accepted(1, client="10.9.9.1") + accepted(2, client="10.9.9.2"))
    for (high, low), name in zip(batch.raddr.tolist(), ("zoe", "adam"), strict=True):
        hosts[high, low] = name
    name_columns = Namer(False, hosts, False).name
    outlet = outlet_of(Accept(), sink, sort="hostname", name_columns=name_columns)
    outlet.observe(batch, [CaptureInterface(1)], None)
    outlet.report()
    assert [each["hostname"] for each in sink.rows()] == ["adam", "zoe"]


@pytest.mark.parametrize("field", ["size", "interval", "holders"])
def test_sorting_by_what_has_no_order_is_refused(field: str) -> None:
    with pytest.raises(UsageError, match=f"--sort {field}: mine can be sorted by .*lport.*count"):
        Outlet("mine", Accept(), Kept(), NUMERIC, sort=field)


def test_names_are_looked_up_for_what_is_printed_alone() -> None:
    asked: list[int] = []

    def name_columns(report: Report) -> Report:
        asked.append(len(report.table))
        return NUMERIC(report)

    outlet = outlet_of(Accept(), Kept(), top=1, name_columns=name_columns)
    observe(outlet, accepted(*PORTS))
    outlet.report()
    assert asked == [1]


def test_remarks_of_reports_are_kept_once() -> None:
    outlet = outlet_of(Accept(max_keys=1), Kept())
    for _ in range(3):
        observe(outlet, accepted(80, 81, 82))
        outlet.report()
    assert len(outlet.notes) == 1
    assert "--max-keys" in outlet.notes[0]
