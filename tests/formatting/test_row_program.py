"""Row programs against Python's own formatting: f-strings, ipaddress, datetime, json."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpsnoop.formatting
from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.segments import flags_text
from tcpsnoop.report import Kind, Values

SECOND = 10**9
POOL = ("", "sshd", "naïve →", "a rather long argument list")
OBJECTS = (None, [[1, 2], [4, 1]], {"a": "é"})
UNKNOWN = "?"


class Shown(NamedTuple):
    """A column: its values for the program, and what Python writes for each row (None unknown)."""

    kind: Kind
    values: Values
    texts: list[str | None]


def column(kind: Kind, rows: Sequence[tuple[Any, str | None]], **more: Any) -> Shown:
    return Shown(kind, Values(np.array([value for value, _ in rows]), **more), [t for _, t in rows])


def integers(count: int) -> st.SearchStrategy[Shown]:
    one = st.integers(-5, 2**63 - 1).map(lambda n: (n, str(n) if n >= 0 else None))
    return st.lists(one, min_size=count, max_size=count).map(
        lambda rows: column(Kind.INTEGER, rows)
    )


def addresses(count: int) -> st.SearchStrategy[Shown]:
    def made(drawn: list[tuple[Any, bool]]) -> Shown:
        rows = []
        for address, known in drawn:
            plain = str(getattr(address, "ipv4_mapped", None) or address)
            rows.append((halves(str(address)), plain if known else None))
        known_rows = np.array([known for _, known in drawn])
        return column(Kind.ADDRESS, rows, known=known_rows)

    one = st.tuples(st.ip_addresses(), st.booleans())
    return st.lists(one, min_size=count, max_size=count).map(made)


def times(count: int) -> st.SearchStrategy[Shown]:
    def made(drawn: list[tuple[int, int]]) -> Shown:
        rows = []
        for time_ns, digits in drawn:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_ns // SECOND)
            fraction = f".{time_ns % SECOND:09}"[: digits + 1] if digits else ""
            rows.append((time_ns, f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"))
        digits_of_rows = np.array([digits for _, digits in drawn], np.uint8)
        return column(Kind.TIME, rows, digits=digits_of_rows)

    one = st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 9))
    return st.lists(one, min_size=count, max_size=count).map(made)


def seconds(count: int) -> st.SearchStrategy[Shown]:
    def made(drawn: list[tuple[int, int]]) -> Shown:
        rows: list[tuple[int, str | None]] = []
        for value, digits in drawn:
            exact = Decimal(value).scaleb(-9).quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)
            rows.append((value, f"{exact:f}" if value >= 0 else None))
        digits_of_rows = np.array([digits for _, digits in drawn], np.uint8)
        return column(Kind.SECONDS, rows, digits=digits_of_rows)

    one = st.tuples(st.integers(-5, 2**63 - 1), st.integers(0, 9))
    return st.lists(one, min_size=count, max_size=count).map(made)


def flags(count: int) -> st.SearchStrategy[Shown]:
    one = st.integers(0, 0x1FF).map(lambda bits: (bits, flags_text(bits)))
    return st.lists(one, min_size=count, max_size=count).map(lambda rows: column(Kind.FLAGS, rows))


def directions(count: int) -> st.SearchStrategy[Shown]:
    one = st.sampled_from([(0, "<-"), (1, "->")])
    return st.lists(one, min_size=count, max_size=count).map(
        lambda rows: column(Kind.DIRECTION, rows)
    )


def pooled(kind: Kind, pool: tuple[Any, ...], count: int) -> st.SearchStrategy[Shown]:
    def text(at: int) -> str | None:
        if at < 0:
            return None
        return json.dumps(pool[at]) if kind is Kind.OBJECT else str(pool[at])

    one = st.integers(-1, len(pool) - 1).map(lambda at: (at, text(at)))
    return st.lists(one, min_size=count, max_size=count).map(
        lambda rows: column(kind, rows, pool=pool)
    )


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, list[Shown]]:
    count = draw(st.integers(1, 5))
    kinds = [
        integers(count),
        addresses(count),
        times(count),
        seconds(count),
        flags(count),
        directions(count),
        pooled(Kind.TEXT, POOL, count),
        pooled(Kind.OBJECT, OBJECTS, count),
    ]
    return count, draw(st.lists(st.one_of(kinds), min_size=1, max_size=6))


class Form(NamedTuple):
    """How a field stands in the row."""

    width: int
    left: bool
    brackets: bool
    literal: str


forms = st.builds(
    Form, st.integers(0, 40), st.booleans(), st.booleans(), st.text("ab:é ", max_size=20)
)


def expected_cell(shown: Shown, row: int, form: Form, mark: str) -> str:
    """What f-strings make of a value."""
    text = shown.texts[row]
    if text is None:
        text = UNKNOWN
    elif shown.kind is Kind.ADDRESS:
        bracketed = form.brackets and ipaddress.ip_address(text).version == 6
        text = f"{mark}[{text}]{mark}" if bracketed else f"{mark}{text}{mark}"
    elif shown.kind is Kind.TIME:
        text = f"{mark}{text}{mark}"
    return f"{text:<{form.width}}" if form.left else f"{text:>{form.width}}"


@given(st.data(), tables(), st.sampled_from(["", '"']))
def test_rows_are_what_f_strings_make_of_them(
    formatting: ModuleType, data: st.DataObject, table: tuple[int, list[Shown]], mark: str
) -> None:
    count, columns = table
    drawn = [data.draw(forms) for _ in columns]
    parts: list[Any] = []
    for number, (shown, form) in enumerate(zip(columns, drawn, strict=True)):
        field = formatting.Field(
            str(number), shown.kind, form.width, form.left, brackets=form.brackets
        )
        parts += [form.literal, field]
    style = formatting.Style(UNKNOWN, mark, str, json.dumps)
    program = formatting.RowProgram([*parts, "\n"], style)
    values = {str(number): shown.values for number, shown in enumerate(columns)}
    expected = "".join(
        "".join(
            form.literal + expected_cell(shown, row, form, mark)
            for shown, form in zip(columns, drawn, strict=True)
        )
        + "\n"
        for row in range(count)
    )
    for _ in range(2):  # what a program keeps from one table must not change the next
        assert b"".join(program.write(values, count)).decode() == expected


TEXT_STYLE = tcpsnoop.formatting.Style("-", "", str, str)


def written(
    formatting: ModuleType, parts: list[Any], values: dict[str, Values], count: int, **more: int
) -> str:
    program = formatting.RowProgram(parts, TEXT_STYLE)
    return b"".join(program.write(values, count, **more)).decode()


def test_one_column_in_several_units(formatting: ModuleType) -> None:
    parts = [
        formatting.Field("bytes", Kind.INTEGER, 5),
        formatting.Field("bytes", Kind.INTEGER, 3, unit=1024),
        formatting.Field("bytes", Kind.INTEGER, 6, True, unit=1000, decimals=2),
        formatting.Field("bytes", Kind.INTEGER, 6, unit=1000, decimals=1),
        "\n",
    ]
    values = {"bytes": Values(np.array([2047, -1]))}
    assert written(formatting, parts, values, 2) == " 2047  12.05     2.0\n    -  --          -\n"


def test_an_unknown_value_gives_its_place_to_another(formatting: ModuleType) -> None:
    port = formatting.Field("port", Kind.INTEGER, width=6, left=True)
    alias = formatting.Field("alias", Kind.TEXT, width=6, otherwise=port)
    name = formatting.Field("name", Kind.TEXT, width=6, otherwise=alias)
    values = {
        "name": Values(np.array([0, -1, -1, -1]), ["ssh"]),
        "alias": Values(np.array([0, 0, -1, -1]), ["secure"]),
        "port": Values(np.array([1, 2, 22, -1])),
    }
    text = written(formatting, ["[", name, "]"], values, 4)
    assert text == "[   ssh][secure][22    ][-     ]"


@pytest.mark.parametrize("kind", Kind)
def test_a_column_that_the_table_lacks_is_unknown(formatting: ModuleType, kind: Kind) -> None:
    field = formatting.Field("gone", kind, width=3)
    assert written(formatting, [field, ";"], {}, 2) == "  -;  -;"


def test_relative_times_count_from_the_start(formatting: ModuleType) -> None:
    form = formatting.TimeForm.RELATIVE
    field = formatting.Field("time", Kind.TIME, width=9, time_form=form)
    values = {"time": Values(np.array([5, 6 * SECOND + 123_456_789, 4]))}
    text = written(formatting, [field, "\n"], values, 3, start_ns=5)
    assert text.split("\n")[:-1] == [" 0.000000", " 6.123456", "-0.000000"]


def test_no_rows_are_no_bytes(formatting: ModuleType) -> None:
    assert written(formatting, ["a"], {}, 0) == ""


def test_a_million_rows() -> None:
    """Many pieces: every row once, in order; how long it takes is for the benchmark."""
    count = 1_000_000
    field = tcpsnoop.formatting.Field("packet", Kind.INTEGER)
    place = tcpsnoop.formatting.Field("text", Kind.TEXT)
    program = tcpsnoop.formatting.RowProgram([field, " ", place, "\n"], TEXT_STYLE)
    values = {
        "packet": Values(np.arange(1, count + 1)),
        "text": Values(np.arange(count, dtype=np.int32) % 3, ["a", "bb", "ccc"]),
    }
    pieces = list(program.write(values, count))
    lines = b"".join(pieces).decode().split("\n")
    assert lines == [f"{n} {('a', 'bb', 'ccc')[(n - 1) % 3]}" for n in range(1, count + 1)] + [""]
    assert max(map(len, pieces)) <= 1 << 20


def test_a_huge_entry_is_written_whole(formatting: ModuleType) -> None:
    huge = "x" * 3_000_000
    field = formatting.Field("text", Kind.TEXT)
    values = {"text": Values(np.array([0, 1, 0]), [huge, "y"])}
    assert written(formatting, [field, "\n"], values, 3) == f"{huge}\ny\n{huge}\n"


def test_the_kernel_is_compiled_once_for_all_programs() -> None:
    """Another specialisation would be compiled, or loaded, in the middle of a user's run."""
    from tcpsnoop.formatting.rows_kernel import write_rows

    if not hasattr(write_rows, "signatures"):
        pytest.skip("kernels are not compiled")
    for parts in (["a"], [tcpsnoop.formatting.Field("text", Kind.TEXT)], []):
        program = tcpsnoop.formatting.RowProgram(parts, TEXT_STYLE)
        for pool in ([], ["", "b"], ["c"] * 5000):
            list(program.write({"text": Values(np.array([-1, 0]), pool)}, 2))
            list(program.write({}, 1))
    assert len(write_rows.signatures) == 1
