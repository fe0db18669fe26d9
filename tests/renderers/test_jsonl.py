"""JSON lines: one object a row in the order of the schema, read back as the values."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.interfaces.renderer import Renderer, RenderOptions
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.report import (
    Interval,
    Kind,
    Line,
    Report,
    Table,
    Values,
    object_values,
    text_values,
)
from tests.renderers.tables import NOON, addresses, finger_session, integers, schema, times

NO_LAYOUT = Line("", ())


def lines(table: Table, options: RenderOptions | None = None) -> list[str]:
    renderer: Renderer = Jsonl(options or RenderOptions())
    text = renderer.begin(table.schema) + b"".join(renderer.report(Report(table)))
    return text.decode().split("\n")[:-1]


def test_a_segment() -> None:
    assert lines(finger_session())[1] == (
        '{"packet":2,"time":"2026-11-21T12:00:00.001000Z","laddr":"192.168.1.185","lport":79,'
        '"direction":"->","raddr":"192.168.1.109","rport":56145,"bytes":0,"flags":"SYN|ACK",'
        '"pid":null,"command":null}'
    )


def test_every_kind_known_and_unknown() -> None:
    table = Table(
        schema(
            NO_LAYOUT,
            number=Kind.INTEGER,
            address=Kind.ADDRESS,
            time=Kind.TIME,
            lasted_seconds=Kind.SECONDS,
            flags=Kind.FLAGS,
            direction=Kind.DIRECTION,
            text=Kind.TEXT,
            holders=Kind.OBJECT,
            missing=Kind.INTEGER,
        ),
        {
            "number": integers([7, -1]),
            "address": addresses(["2001:db8::1", None]),
            "time": Values(np.array([NOON, NOON]), known=np.array([True, False])),
            "lasted_seconds": Values(np.array([2_500_000_000, -1])),
            "flags": Values(np.array([0, 2]), known=np.array([True, False])),
            "direction": Values(np.array([1, 0]), known=np.array([True, False])),
            "text": text_values(["sshd", None]),
            "holders": object_values([[[1, "sshd"], [2, "sh"]], None]),
        },
    )
    known, unknown = lines(table)
    assert known == (
        '{"number":7,"address":"2001:db8::1","time":"2026-11-21T12:00:00.000000000Z",'
        '"lasted_seconds":2.5,"flags":"null","direction":"->","text":"sshd",'
        '"holders":[[1,"sshd"],[2,"sh"]],"missing":null}'
    )
    assert set(json.loads(unknown).values()) == {None}


def test_times_have_the_digits_of_their_row() -> None:
    table = Table(schema(NO_LAYOUT, time=Kind.TIME), {"time": times([NOON] * 3, [0, 3, 9])})
    assert [json.loads(line)["time"] for line in lines(table)] == [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.000Z",
        "2026-11-21T12:00:00.000000000Z",
    ]


@given(st.lists(st.text(st.characters(codec=None, exclude_categories=())), min_size=1, max_size=5))
def test_any_text_comes_back(texts: list[str]) -> None:
    table = Table(schema(NO_LAYOUT, text=Kind.TEXT), {"text": text_values(texts)})
    written = lines(table)
    assert [json.loads(line)["text"] for line in written] == texts
    assert not any("\x1b" in line or "\x9b" in line for line in written)


def test_the_names_of_columns_are_escaped() -> None:
    table = Table(schema(NO_LAYOUT, **{'a"b': Kind.INTEGER}), {'a"b': integers([1])})
    assert lines(table) == ['{"a\\"b":1}']


def test_no_rows_are_no_output_with_or_without_header() -> None:
    assert lines(finger_session().take(slice(0, 0))) == []
    assert len(lines(finger_session(), RenderOptions(header=False))) == 11


def test_an_interval_is_a_column_like_others() -> None:
    table = finger_session().take(slice(0, 1))
    renderer = Jsonl(RenderOptions())
    plain = b"".join(renderer.report(Report(table)))
    assert b"".join(renderer.report(Report(table, interval=Interval(NOON, 6, True)))) == plain


def test_tables_of_several_schemas_in_turn() -> None:
    renderer = Jsonl(RenderOptions())
    number = Table(schema(NO_LAYOUT, n=Kind.INTEGER), {"n": integers([1])})
    text = Table(schema(NO_LAYOUT, t=Kind.TEXT), {"t": text_values(["x"])})
    written = [b"".join(renderer.rows(table)) for table in (number, text, number)]
    assert written == [b'{"n":1}\n', b'{"t":"x"}\n', b'{"n":1}\n']
