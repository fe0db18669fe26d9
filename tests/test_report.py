"""Values, pools and tables: choosing rows keeps what belongs together."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.report import (
    Cell,
    Column,
    Grid,
    Kind,
    LazyPool,
    Line,
    Quantize,
    Schema,
    Table,
    Values,
    columns_of,
    object_values,
    text_values,
)

SCHEMA = Schema((Column("a", Kind.INTEGER, "a number"),), Grid(("a",), ("A",)))


def test_taken_rows_keep_their_digits_and_whether_they_are_known() -> None:
    values = Values(
        np.array([10, 20, 30]),
        ("pool",),
        np.array([6, 9, 0], np.uint8),
        np.array([True, False, True]),
    )
    taken = values.take(np.array([2, 1]))
    assert taken.data.tolist() == [30, 20]
    assert taken.pool == ("pool",)
    assert taken.digits is not None
    assert taken.digits.tolist() == [0, 9]
    assert taken.known is not None
    assert taken.known.tolist() == [True, False]
    assert Values(np.array([1])).take(slice(0, 1)).known is None


def test_texts_are_pooled_once_and_none_is_unknown() -> None:
    values = text_values(["b", None, "a", "b"])
    assert list(values.pool) == ["a", "b"]
    assert values.data.tolist() == [1, -1, 0, 1]


def test_objects_are_their_own_pool() -> None:
    values = object_values([[1], None, [1]])
    assert values.data.tolist() == [0, -1, 2]


def test_a_lazy_pool_makes_what_is_asked_for() -> None:
    made: list[int] = []

    def entry(index: int) -> object:
        made.append(index)
        return str(index)

    pool = LazyPool(1_000_000, entry)
    assert (len(pool), pool[7], pool[-1], pool[2:4]) == (1_000_000, "7", "999999", ["2", "3"])
    assert made == [7, 999_999, 2, 3]
    with pytest.raises(IndexError):
        pool[1_000_000]
    assert list(LazyPool(3, str)) == ["0", "1", "2"]


def test_tables_take_origin_and_text_below_along() -> None:
    table = Table(SCHEMA, {"a": Values(np.array([5, 6, 7]))}, np.array([0, 2, 4]), ["x", "y", "z"])
    taken = table.take(np.array([False, True, True]))
    assert (len(table), len(taken)) == (3, 2)
    assert taken.values["a"].data.tolist() == [6, 7]
    assert taken.origin is not None
    assert taken.origin.tolist() == [2, 4]
    assert taken.below == ["y", "z"]
    assert len(Table(SCHEMA, {})) == 0


def test_a_layout_shows_these_columns() -> None:
    assert columns_of(Grid(("a", "b"), ("A", "B"))) == {"a", "b"}
    cells = (Cell("a"), " ", Cell("b", otherwise="c"))
    assert columns_of(Line("", cells)) == {"a", "b", "c"}
    assert columns_of(Quantize(cells, "d")) == {"a", "b", "c", "d"}
