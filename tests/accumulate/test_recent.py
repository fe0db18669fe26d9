"""Recent against a dictionary: what it took, and when it says that it has no room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.accumulate.recent import OPERATIONS, Recent

MOST = 1 << 10


def table(*columns: list[int]) -> NDArray[np.int64]:
    return np.array(columns, np.int64)


def with_room(lines: int) -> Recent:
    recent = Recent(1, OPERATIONS)
    while recent.lines < lines:
        recent.clear(MOST)
        place = list(range(recent.lines))
        recent.take(table(place, place, *[place] * 4), 0)
    recent.clear(lines)
    return recent


def kept(recent: Recent) -> set[tuple[int, ...]]:
    return {tuple(map(int, row)) for row in zip(*recent.run(), strict=True)}


def test_each_operation_combines_the_values_of_a_key() -> None:
    recent = with_room(256)
    rows = table([9, 9, 5, 9], [1, 1, 1, 1], *[[6, -3, 100, 4]] * 4)
    assert recent.take(rows, 0) == 4
    assert kept(recent) == {(9, 1, 7, -3, 6, -3 | 6 | 4), (5, 1, 100, 100, 100, 100)}


def test_keys_of_one_place_are_two_rows() -> None:
    recent = with_room(256)
    assert recent.take(table([9, 9, 9], [1, 2, 1], *[[1, 1, 1]] * 4), 0) == 3
    assert kept(recent) == {(9, 1, 2, 1, 1, 1), (9, 2, 1, 1, 1, 1)}


def test_without_room_it_says_where_it_stopped_and_clearing_makes_some() -> None:
    recent = Recent(1, OPERATIONS)
    places = list(range(1000))
    rows = table(places, places, *[[1] * 1000] * 4)
    taken = 0
    lengths = []
    found = set()
    while (taken := recent.take(rows, taken)) < 1000:
        assert recent.is_full
        lengths.append(len(recent))
        found |= kept(recent)
        recent.clear(512)
    assert lengths == [0, 192, 384, 384]  # three quarters of nothing, 256, 512, and of no more
    found |= kept(recent)
    assert {row[1] for row in found} == set(places)


def test_too_many_keys_of_one_place_end_it_early_though_it_is_not_full() -> None:
    recent = with_room(256)
    keys = list(range(100))
    taken = recent.take(table([7] * 100, keys, *[keys] * 4), 0)
    assert taken == len(recent) == 64
    assert not recent.is_full
    # Others still find room.
    assert recent.take(table([1 << 50], [0], *[[1]] * 4), 0) == 1


def test_a_key_that_has_a_line_needs_no_room() -> None:
    recent = with_room(256)
    places = list(range(192))
    rows = table(places, places, *[[1] * 192] * 4)
    assert recent.take(rows, 0) == 192
    assert recent.is_full
    assert recent.take(rows, 0) == 192
    assert len(recent) == 192
