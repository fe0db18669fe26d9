"""Lines are records again; what is not as it should be is damage, never another error."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.owners.journal.lines import LineMaker, header_line
from tcpsnoop.owners.journal.parsing import parse_header, parse_line, version_of
from tcpsnoop.owners.journal.records import (
    CgroupNumber,
    Clocks,
    DamageError,
    End,
    Events,
    Header,
    Holders,
    LocalNetworks,
    ProcessRead,
    Record,
    SocketRow,
    Sockets,
)
from tcpsnoop.owners.tracing.events import FORKED
from tests.owners.journal.journals import BARE, HEADER, WEB, event, line

RECORDS: list[Record] = [
    ProcessRead(5, WEB),
    ProcessRead(6, BARE),
    CgroupNumber(77, "/a/b"),
    LocalNetworks(5, ("127.0.0.0/8", "::1")),
    Clocks(5, 3, 4),
    Sockets((5, 6), (SocketRow("::", 22, "::", 0, 1),), (SocketRow("::1", 2, "::1", 3, 4),)),
    Holders(7, {1: ((1120, 90_000),), 3: ()}, 2, True),
    End(9, 12),
]


def lines_of(record: Record) -> list[bytes]:
    return list(LineMaker().lines(record))


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_the_same_again(record: Record) -> None:
    (text,) = lines_of(record)
    assert parse_line(text) == record


def test_events_are_the_same_again() -> None:
    rows = event(0, FORKED, 5, length=1)
    found = parse_line(lines_of(Events(rows))[0])
    assert isinstance(found, Events)
    assert (found.rows == rows).all()


@pytest.mark.parametrize(
    "header", [HEADER, Header(1, "b", 0, "", "no rights", False, True, 0, 1, 100, "")]
)
def test_a_header_is_the_same_again(header: Header) -> None:
    text = header_line(header)
    assert parse_header(text) == header
    assert version_of(text) == 1


def test_a_kind_that_is_not_known_is_no_record() -> None:
    assert parse_line(line({"tomorrow": {"x": 1}})) is None
    assert parse_line(line({})) is None


def test_a_field_that_is_not_known_is_left() -> None:
    told = json.loads(lines_of(CgroupNumber(7, "/a"))[0])
    told["cgroup"]["tomorrow"] = 1
    assert parse_line(line(told)) == CgroupNumber(7, "/a")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"x\n",
        b"[1]\n",
        b"1\n",
        b'"events"\n',
        b"{\n",
        b'{"end":{"time_ns":1,"lost":0}\n',
        b'{"end":{"time_ns":1,"lost":0}}}\n',
        b"\xff\xfe\n",
        b'{"end":' + b"[" * 100_000 + b"\n",
        b'{"end":{"time_ns":' + b"9" * 10_000 + b',"lost":0}}\n',
    ],
)
def test_what_is_no_json_object_is_damage(text: bytes) -> None:
    with pytest.raises(DamageError):
        parse_line(text)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("end", "time_ns", -1),
        ("end", "time_ns", 1.0),
        ("end", "time_ns", True),
        ("end", "time_ns", 1 << 62),
        ("end", "lost", None),
        ("clock", "monotonic_ns", "1"),
        ("cgroup", "path", 5),
        ("cgroup", "number", 1 << 64),
        ("addresses", "networks", ["nowhere"]),
        ("addresses", "networks", [5]),
        ("addresses", "networks", None),
        ("process", "pid", -1),
        ("process", "pid", "812"),
        ("process", "command", ["x"]),
        ("process", "command", "\ud800"),
        ("process", "uid", -5),
        ("sockets", "read_ns", 5),
        ("sockets", "read_ns", [5]),
        ("sockets", "read_ns", [5, 6, 7]),
        ("sockets", "new", [["::", 22, "::", 0]]),
        ("sockets", "new", [["::", 65536, "::", 0, 1]]),
        ("sockets", "new", [["nowhere", 22, "::", 0, 1]]),
        ("sockets", "new", [5]),
        ("sockets", "new", {"a": 1}),
        ("sockets", "gone", None),
        ("holders", "holders", [[1]]),
        ("holders", "holders", [[1, [[2]]]]),
        ("holders", "holders", [["1", []]]),
        ("holders", "holders", 5),
        ("holders", "unreadable", None),
    ],
)
def test_a_field_that_is_not_as_it_should_be_is_damage(kind: str, field: str, value: Any) -> None:
    told: dict[str, dict[str, Any]] = {}
    for record in RECORDS:
        told |= json.loads(lines_of(record)[0])
    told[kind][field] = value
    with pytest.raises(DamageError):
        parse_line(line({kind: told[kind]}))
    del told[kind][field]
    if (kind, field) != ("process", "uid"):
        with pytest.raises(DamageError):
            parse_line(line({kind: told[kind]}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("began_ns", None),
        ("boot_id", 5),
        ("boot_ns", -1),
        ("method", 5),
        ("pids", 0),
        ("pids", 1 << 40),  # a table is made for so many
        ("ticks_per_second", 0),
        ("network_namespace", "x"),
        ("tcpsnoop_journal", 2),
    ],
)
def test_a_header_that_is_not_as_it_should_be_is_damage(field: str, value: object) -> None:
    told = json.loads(header_line(HEADER)) | {field: value}
    with pytest.raises(DamageError):
        parse_header(line(told))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(
        ["events", "process", "cgroup", "addresses", "clock", "sockets", "holders", "end"]
    ),
)
def test_anything_in_a_record_is_a_record_or_damage(told: object, kind: str) -> None:
    with suppress(DamageError):
        parse_line(line({kind: told}))
