"""Operations, slots and room that come of literals and fields."""

from __future__ import annotations

from tcpsnoop.formatting.compiling import compile_row
from tcpsnoop.formatting.fields import Field, Style
from tcpsnoop.formatting.operations import ADDRESS, INTEGER, LONGEST, NOTHING, POOL
from tcpsnoop.formatting.words import SLACK
from tcpsnoop.report import Kind

STYLE = Style(unknown="null", mark='"', text=str, value=str)


def test_literals_go_with_the_field_after_them() -> None:
    row = compile_row(["a", "bc", Field("n", Kind.INTEGER), "d"], STYLE)
    assert row.operations["code"].tolist() == [INTEGER, NOTHING]
    assert row.operations["literal_bytes"].tolist() == [3, 1]
    literals = row.literals.base
    assert literals is not None


def test_a_row_without_fields_is_its_literals() -> None:
    row = compile_row(["abc"], STYLE)
    assert row.operations["code"].tolist() == [NOTHING]
    assert row.slots == 1  # a matrix has a row at least
    assert row.room == 3 + len("null") + SLACK


def test_fields_of_one_column_share_its_slots() -> None:
    address = Field("laddr", Kind.ADDRESS)
    port = Field("lport", Kind.INTEGER)
    row = compile_row([address, port, Field("laddr", Kind.ADDRESS, width=16)], STYLE)
    assert row.operations["slot"].tolist()[:3] == [0, 3, 0]
    assert row.slots == 4
    assert [load.field for load in row.loads] == [address, port]


def test_operations_that_stand_in_for_unknown_values_are_counted() -> None:
    port = Field("lport", Kind.INTEGER)
    name = Field("service", Kind.TEXT, otherwise=Field("alias", Kind.TEXT, otherwise=port))
    row = compile_row([name], STYLE)
    assert row.operations["code"].tolist() == [POOL, POOL, INTEGER, NOTHING]
    assert row.operations["otherwise"].tolist() == [2, 1, 0, 0]


def test_room_is_for_the_longest_values_in_their_widths() -> None:
    row = compile_row(["(", Field("laddr", Kind.ADDRESS, width=100), ")"], STYLE)
    longest = len("(") + LONGEST[ADDRESS] + 100 + len(")") + len("null")
    assert row.room == longest + SLACK
