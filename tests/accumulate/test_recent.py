"""Recent against a dictionary: what it took, and when it says that it has no room."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcpsnoop.accumulate.recent import MOST_KEYS, OPERATIONS, Recent, find_hashes

MOST = 1 << 10
NUMBERS = np.arange(1 << 15)


def table(*columns: list[int]) -> NDArray[np.int64]:
    return np.array(columns, np.int64)


def with_room(lines: int) -> Recent:
    recent = Recent(1, OPERATIONS)
    while recent.lines < lines:
        recent.take_out(MOST)
        place = list(range(recent.lines))
        recent.take(table(place, place, *[place] * 4), 0)
    recent.take_out(lines)
    return recent


def taken_out(recent: Recent, most_lines: int = MOST) -> set[tuple[int, ...]]:
    columns = recent.take_out(most_lines)
    assert len(recent) == 0
    return {tuple(map(int, row)) for row in zip(*columns, strict=True)}


def test_each_operation_combines_the_values_of_a_key() -> None:
    recent = with_room(256)
    rows = table([9, 9, 5, 9], [1, 1, 1, 1], *[[6, -3, 100, 4]] * 4)
    assert recent.take(rows, 0) == 4
    assert taken_out(recent) == {(9, 1, 7, -3, 6, -3 | 6 | 4), (5, 1, 100, 100, 100, 100)}


def test_keys_of_one_bucket_are_two_rows() -> None:
    recent = with_room(256)
    assert recent.take(table([9, 9, 9], [1, 2, 1], *[[1, 1, 1]] * 4), 0) == 3
    assert taken_out(recent) == {(9, 1, 2, 1, 1, 1), (9, 2, 1, 1, 1, 1)}


def test_without_room_it_says_where_it_stopped_and_taking_out_makes_some() -> None:
    recent = Recent(1, OPERATIONS)
    places = list(range(1000))
    rows = table(places, places, *[[1] * 1000] * 4)
    taken = 0
    lengths = []
    found = set()
    while (taken := recent.take(rows, taken)) < 1000:
        assert recent.is_full
        lengths.append(len(recent))
        found |= taken_out(recent, 512)
    assert lengths == [0, 160, 320, 320]  # five eighths of nothing, 256, 512, and of no more
    found |= taken_out(recent)
    assert {row[1] for row in found} == set(places)


def test_too_many_keys_that_meet_end_it_early_though_it_is_not_full() -> None:
    recent = with_room(1024)
    recent._multipliers[1:] = 0  # the hash is of the bucket alone
    keys = list(range(300))
    taken = recent.take(table([7] * 300, keys, *[keys] * 4), 0)
    assert taken == len(recent) == 256
    assert not recent.is_full
    # Others still find room.
    assert recent.take(table([200], [0], *[[1]] * 4), 0) == 1


def test_a_key_that_has_a_line_needs_no_room() -> None:
    recent = with_room(256)
    places = list(range(160))
    rows = table(places, places, *[[1] * 160] * 4)
    assert recent.take(rows, 0) == 160
    assert recent.is_full
    assert recent.take(rows, 0) == 160
    assert len(recent) == 160


@pytest.mark.parametrize(
    "columns",
    [
        (NUMBERS, NUMBERS * 0),
        (NUMBERS * 0, NUMBERS),
        (NUMBERS & 0x1F, NUMBERS >> 5),
        (NUMBERS & 0xFF, NUMBERS >> 8 << 40),
        (NUMBERS * 0, 0xFFFF_0000_0000 | NUMBERS << 8),
        (NUMBERS * 0, -NUMBERS),
    ],
)
def test_hashes_are_spread(columns: tuple[NDArray[np.int64], ...]) -> None:
    rows = np.stack(columns)
    hashes = np.empty(len(NUMBERS), np.int64)
    random = np.random.default_rng(7)
    for _ in range(5):
        find_hashes(rows, 0, random.integers(1 << 26, 1 << 27, 3), hashes)
        assert hashes.min() >= 0
        # As many lines of twice as many stay free as if they were drawn: half of e^-1/2.
        lines = np.bincount(hashes & (2 * len(NUMBERS) - 1), minlength=2 * len(NUMBERS))
        assert np.count_nonzero(lines == 0) < 0.65 * len(lines)
        assert lines.max() <= 12


@given(
    st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * MOST_KEYS),
    st.integers(0, 2**24 - 1),
    st.integers(1, MOST_KEYS),
)
def test_a_hash_is_never_negative_and_of_all_of_the_key(
    key: tuple[int, ...], bucket: int, changed: int
) -> None:
    rows = np.array([(bucket, *key)] * 2, np.int64).T.copy()
    rows[changed, 1] ^= 1 << changed * 8
    hashes = np.empty(2, np.int64)
    find_hashes(rows, 0, np.full(1 + 2 * MOST_KEYS, (1 << 27) - 1), hashes)
    assert hashes.min() >= 0
    assert hashes[0] != hashes[1]
