"""CSV: quoting of RFC 4180, a header once, unknown is an empty field."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.interfaces.renderer import Renderer, RenderOptions
from tcpsnoop.renderers.csv import Csv
from tcpsnoop.report import Kind, Line, Report, Table, Values, object_values, text_values
from tests.renderers.tables import NOON, finger_session, integers, schema

NO_LAYOUT = Line("", ())
HEADER = "packet,time,laddr,lport,direction,raddr,rport,bytes,flags,pid,command\n"


def text_of(table: Table, options: RenderOptions | None = None) -> str:
    renderer: Renderer = Csv(options or RenderOptions())
    return b"".join(renderer.report(Report(table))).decode()


def test_a_log() -> None:
    renderer = Csv(RenderOptions())
    table = finger_session().take(slice(0, 2))
    text = renderer.begin(table.schema) + b"".join(renderer.rows(table))
    assert text.decode() == (
        f"{HEADER}"
        "1,2026-11-21T12:00:00.000000Z,192.168.1.185,79,<-,192.168.1.109,56145,0,SYN,,\n"
        "2,2026-11-21T12:00:00.001000Z,192.168.1.185,79,->,192.168.1.109,56145,0,SYN|ACK,,\n"
    )


def test_no_header() -> None:
    assert HEADER not in text_of(finger_session(), RenderOptions(header=False))
    assert Csv(RenderOptions(header=False)).begin(finger_session().schema) == b""


def test_the_header_alone_without_rows() -> None:
    assert text_of(finger_session().take(slice(0, 0))) == HEADER


def test_the_header_stands_once_above_all_intervals() -> None:
    renderer = Csv(RenderOptions())
    report = Report(finger_session().take(slice(0, 1)))
    text = b"".join([*renderer.report(report), *renderer.report(report)]).decode()
    assert text.startswith(HEADER)
    assert text.count("packet") == 1
    assert text.count("\n") == 3


def test_objects_are_json_in_one_field() -> None:
    holders = [[1, 'say "hi"'], [2, "sh"]]
    table = Table(
        schema(NO_LAYOUT, n=Kind.INTEGER, holders=Kind.OBJECT),
        {"n": integers([1, 2]), "holders": object_values([holders, None])},
    )
    assert text_of(table).split("\n")[1] == r'1,"[[1,""say \""hi\""""],[2,""sh""]]"'
    rows = list(csv.DictReader(io.StringIO(text_of(table))))
    assert json.loads(rows[0]["holders"]) == holders
    assert rows[1]["holders"] == ""


def test_formulas_are_left_as_they_are() -> None:
    table = Table(
        schema(NO_LAYOUT, a=Kind.TEXT, b=Kind.TEXT),
        {"a": text_values(["=1+1"]), "b": text_values(["@x"])},
    )
    assert text_of(table) == "a,b\n=1+1,@x\n"


def test_an_unknown_value_alone_in_its_line_is_seen() -> None:
    table = Table(schema(NO_LAYOUT, n=Kind.INTEGER), {"n": integers([1, -1])})
    assert text_of(table) == 'n\n1\n""\n'
    assert list(csv.reader(io.StringIO(text_of(table)))) == [["n"], ["1"], [""]]


def test_unknown_and_empty_are_told_apart() -> None:
    values = {"n": integers([1, 2]), "t": text_values(["", None])}
    table = Table(schema(NO_LAYOUT, n=Kind.INTEGER, t=Kind.TEXT), values)
    assert text_of(table) == 'n,t\n1,""\n2,\n'


def test_unknown_times_are_empty() -> None:
    values = {"n": integers([1]), "time": Values(np.array([NOON]), known=np.array([False]))}
    table = Table(schema(NO_LAYOUT, n=Kind.INTEGER, time=Kind.TIME), values)
    assert text_of(table) == "n,time\n1,\n"


PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")))


@given(st.lists(st.tuples(PRINTABLE, PRINTABLE), min_size=1, max_size=5))
def test_texts_come_back_through_the_reader_of_python(rows: list[tuple[str, str]]) -> None:
    first, second = zip(*rows, strict=True)
    table = Table(
        schema(NO_LAYOUT, first=Kind.TEXT, second=Kind.TEXT),
        {"first": text_values(first), "second": text_values(second)},
    )
    text = text_of(table)
    assert text.count("\n") == len(rows) + 1
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert read == [["first", "second"], *map(list, rows)]
