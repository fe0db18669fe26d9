"""Values as rows of the matrix: what is unknown is so for the kernel."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.formatting.columns import load, load_decimal, load_time, load_unknown, pool_index
from tcpsnoop.formatting.fields import TimeForm
from tcpsnoop.formatting.operations import SHORTEST
from tcpsnoop.report import Kind, Values

SECOND = 10**9
KNOWN = np.array([True, False])


def slots(count: int, rows: int = 2) -> np.ndarray:
    return np.full((count, rows), 77, np.int64)


def test_a_column_nobody_gave_is_unknown() -> None:
    given = slots(3)
    load_unknown(given)
    assert (given == -1).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.int64])
def test_integers_of_every_width(kind: type[np.generic]) -> None:
    given = slots(1)
    load(given, Kind.INTEGER, Values(np.array([7, 120], kind), known=KNOWN))
    assert given.tolist() == [[7, -1]]


def test_addresses_say_whether_they_are_known() -> None:
    data = np.array([[1, 2], [-3, 4]], np.int64)
    given = slots(3)
    load(given, Kind.ADDRESS, Values(data))
    assert given.tolist() == [[1, -3], [2, 4], [1, 1]]
    load(given, Kind.ADDRESS, Values(data, known=KNOWN))
    assert given[2].tolist() == [1, 0]


def test_durations_below_zero_are_unknown() -> None:
    given = slots(2)
    load(given, Kind.SECONDS, Values(np.array([5, -1])))
    assert given[1].tolist() == [SHORTEST, -1]
    load(given, Kind.SECONDS, Values(np.array([5, 6]), digits=np.array([3, 12], np.uint8)))
    assert given.tolist() == [[5, 6], [3, 9]]


def test_numbers_in_a_unit_are_cut_off_or_rounded() -> None:
    given = slots(2, 4)
    load_decimal(given, Values(np.array([1023, 1024, 2047, -1])), 1024, 0)
    assert given[0, :3].tolist() == [0, 1, 1]
    assert given[1].tolist() == [0, 0, 0, -1]
    load_decimal(given, Values(np.array([4_999, 5_000, 1_234_567, 2**63 - 1])), 1_000_000, 2)
    assert given.tolist() == [[0, 1, 123, 922_337_203_685_478], [2, 2, 2, 2]]


def test_a_number_in_a_unit_that_is_not_known() -> None:
    given = slots(2)
    load_decimal(given, Values(np.array([2048, 2048]), known=KNOWN), 1024, 0)
    assert given[1].tolist() == [0, -1]


def test_times_in_utc_keep_their_digits() -> None:
    given = slots(2)
    load_time(
        given, Values(np.array([5, -6]), digits=np.array([6, 200], np.uint8)), TimeForm.UTC, 0
    )
    assert given.tolist() == [[5, -6], [6, 9]]
    load_time(given, Values(np.array([5, -6]), known=KNOWN), TimeForm.UTC, 0)
    assert given[1].tolist() == [9, -1]


def test_relative_times_have_six_digits_and_either_sign() -> None:
    given = slots(2)
    load_time(given, Values(np.array([10, 3])), TimeForm.RELATIVE, 5)
    assert given.tolist() == [[5, -2], [6, 6]]


@pytest.mark.parametrize("start", [-(2**63), 2**63 - 1])
def test_relative_times_that_do_not_fit_are_unknown(start: int) -> None:
    given = slots(2, 3)
    load_time(given, Values(np.array([-(2**63), 0, 2**63 - 1])), TimeForm.RELATIVE, start)
    fits = [-(2**63) <= time - start < 2**63 for time in (-(2**63), 0, 2**63 - 1)]
    assert (given[1] == 6).tolist() == fits
    assert given[0][given[1] == 6].tolist() == [
        time - start for time, fit in zip((-(2**63), 0, 2**63 - 1), fits, strict=True) if fit
    ]


def test_clock_times_are_of_the_day() -> None:
    given = slots(2)
    day = 86_400 * SECOND  # the tests run in UTC
    load_time(given, Values(np.array([3 * day + 5, -1])), TimeForm.CLOCK, 0)
    assert given[0].tolist() == [5, day - 1]


def test_flags_of_reserved_bits_are_left_out() -> None:
    flags = np.array([0xFE12, 0x1FF], np.uint16)
    assert pool_index(Kind.FLAGS, Values(flags)).tolist() == [0x12 | 0x200 & 0x1FF, 0x1FF]


def test_pool_entries_may_be_unknown_in_two_ways() -> None:
    index = np.array([-1, 0], np.int32)
    assert pool_index(Kind.TEXT, Values(index, ["a"])).tolist() == [-1, 0]
    assert pool_index(Kind.TEXT, Values(index, ["a"], known=~KNOWN)).tolist() == [-1, 0]
    assert pool_index(Kind.TEXT, Values(index, ["a"], known=KNOWN)).tolist() == [-1, -1]
