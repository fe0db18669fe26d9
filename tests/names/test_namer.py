"""Reports with names: tables first, then the resolver, never with -n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.names.hosts import Hosts
from tcpsnoop.names.namer import MOST_QUESTIONS, Namer
from tcpsnoop.names.resolver import Resolver
from tcpsnoop.report import Column, Kind, Line, Report, Schema, Table, Values

SCHEMA = Schema(
    (
        Column("raddr", Kind.ADDRESS, ""),
        Column("hostname", Kind.TEXT, "", names=("host", "raddr")),
        Column("lport", Kind.INTEGER, ""),
        Column("service", Kind.TEXT, "", names=("service", "lport")),
        Column("count", Kind.INTEGER, ""),
    ),
    Line("", ()),
)

MARLIN, BASS, PIKE = (halves(f"192.168.2.{number}") for number in (1, 2, 3))


def a_report(
    addresses: Sequence[tuple[int, int]],
    ports: Sequence[int] | None = None,
    known: Sequence[bool] | None = None,
) -> Report:
    data = np.array(addresses, np.int64).reshape(-1, 2)
    count = len(data)
    marks = None if known is None else np.array(known, np.bool_)
    return Report(
        Table(
            SCHEMA,
            {
                "raddr": Values(data, known=marks),
                "lport": Values(np.array(ports or [22] * count, np.int64)),
                "count": Values(np.arange(count)),
            },
        ),
        notes=("a note",),
    )


def texts(report: Report, column: str) -> list[object]:
    values = report.table.values[column]
    assert values.data.dtype == np.int32
    return [values.pool[at] if at >= 0 else None for at in values.data.tolist()]


def no_services(port: int) -> str | None:
    return None


def asked_in_vain(address: str) -> str | None:
    raise AssertionError(f"the resolver was asked for {address}")


class Asked:
    """A resolver's answers, and what was asked for."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.addresses: list[str] = []

    def __call__(self, address: str) -> str | None:
        self.addresses.append(address)
        return self.names.get(address)


def namer(
    hosts: Hosts, asked: Asked | None = None, numeric: bool = False, at_a_time: int = 16
) -> Namer:
    resolver = Resolver(asked or asked_in_vain, at_a_time, seconds=60)
    return Namer(numeric, hosts, asked is not None, resolver, no_services)


def test_hosts_are_named_from_the_tables() -> None:
    report = namer({MARLIN: "marlin", BASS: "bass"}).name(a_report([BASS, PIKE, MARLIN, BASS]))
    assert texts(report, "hostname") == ["bass", None, "marlin", "bass"]


def test_services_are_named_and_what_is_no_port_is_not() -> None:
    names = {22: "ssh", 79: "finger"}
    named = Namer(False, {}, False, service=names.get).name(
        a_report([MARLIN] * 5, [79, 22, 1234, -1, 79])
    )
    assert texts(named, "service") == ["finger", "ssh", None, None, "finger"]


def test_the_rest_of_the_report_is_left_alone() -> None:
    report = a_report([MARLIN])
    named = namer({}).name(report)
    assert named.notes == report.notes
    assert named.table.values["count"] is report.table.values["count"]
    assert "hostname" not in report.table.values


def test_numeric_means_no_names_and_no_questions() -> None:
    asked = Asked({"192.168.2.3": "pike"})
    named = namer({MARLIN: "marlin"}, asked, numeric=True).name(a_report([MARLIN, PIKE]))
    assert texts(named, "hostname") == [None, None]
    assert texts(named, "service") == [None, None]
    assert asked.addresses == []


def test_the_resolver_is_asked_only_for_what_no_table_names() -> None:
    asked = Asked({"192.168.2.3": "pike."})
    named = namer({MARLIN: "marlin"}, asked).name(a_report([MARLIN, PIKE, BASS, PIKE]))
    assert texts(named, "hostname") == ["marlin", "pike", None, "pike"]
    assert sorted(asked.addresses) == ["192.168.2.2", "192.168.2.3"]


def test_the_last_rows_are_asked_for_first() -> None:
    asked = Asked({})
    namer({}, asked, at_a_time=1).name(a_report([MARLIN, BASS, PIKE, BASS]))
    assert asked.addresses == ["192.168.2.2", "192.168.2.3", "192.168.2.1"]


def test_unknown_addresses_have_no_name_and_are_not_asked_for() -> None:
    asked = Asked({})
    report = a_report([MARLIN, BASS, PIKE], known=[True, False, False])
    named = namer({BASS: "bass"}, asked).name(report)
    assert texts(named, "hostname") == [None, None, None]
    assert asked.addresses == ["192.168.2.1"]


@pytest.mark.parametrize("bad", ["a\x1b[2J", "10.0.0.1", "two words", ""])
def test_names_that_may_not_be_shown_are_none(bad: str) -> None:
    asked = Asked({"192.168.2.3": bad})
    named = namer({MARLIN: bad}, asked).name(a_report([MARLIN, PIKE]))
    assert texts(named, "hostname") == [None, None]


def test_what_was_not_answered_in_time_is_counted() -> None:
    silent = Resolver(asked_in_vain, at_a_time=0)
    quiet = Namer(False, {MARLIN: "marlin"}, True, silent, no_services)
    assert quiet.notes() == ()
    named = quiet.name(a_report([MARLIN, BASS, PIKE, PIKE]))
    assert texts(named, "hostname") == ["marlin", None, None, None]
    assert quiet.notes() == (
        "host names: 2 addresses stay numeric, the resolver gave no answer within 2 s",
    )


def test_an_answer_that_there_is_no_name_is_an_answer() -> None:
    answered = namer({}, Asked({}))
    answered.name(a_report([MARLIN, BASS]))
    assert answered.notes() == ()


def test_no_more_is_asked_than_a_resolver_can_answer() -> None:
    count = MOST_QUESTIONS + 7
    asked = Asked({})
    many = namer({}, asked)
    many.name(a_report([(5, number) for number in range(count)]))
    assert len(asked.addresses) == MOST_QUESTIONS
    assert many.notes()[0].startswith("host names: 7 addresses stay numeric")


def test_a_report_without_rows() -> None:
    named = namer({MARLIN: "marlin"}, Asked({})).name(a_report([]))
    assert texts(named, "hostname") == texts(named, "service") == []


def test_many_rows_are_named_in_pieces() -> None:
    count = 150_000
    report = a_report([(5, number % 3) for number in range(count)])
    named = namer({(5, 0): "zero", (5, 2): "two"}).name(report)
    expected = ["zero", None, "two"] * (count // 3)
    assert texts(named, "hostname") == expected


def test_what_the_reporter_says_itself_stays() -> None:
    report = a_report([MARLIN, (0, 0), BASS], known=[True, False, True])
    given = {"hostname": Values(np.array([-1, 0, -1], np.int32), ("(other)",))}
    report = replace(report, table=replace(report.table, values={**report.table.values, **given}))
    hosts: Hosts = {MARLIN: "marlin"}
    named = Namer(False, hosts, False, service=no_services).name(report)
    assert texts(named, "hostname") == ["marlin", "(other)", None]
    numeric = Namer(True, hosts, False, service=no_services).name(report)
    assert texts(numeric, "hostname") == [None, "(other)", None]
