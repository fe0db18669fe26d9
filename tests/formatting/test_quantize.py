"""Histograms line by line, as DTrace's quantize prints them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.formatting.quantize import histogram

HEADER = "           value  ------------- Distribution ------------- count    "


def lines_of(buckets: Sequence[tuple[int, int]]) -> list[str]:
    """The lines under the header."""
    header, *lines, end = histogram(tuple(buckets)).split("\n")
    assert (header, end) == (HEADER, "")
    return lines


def bars(buckets: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Value, length of the bar and count of every line of a histogram."""
    lines = lines_of(buckets)
    for line in lines:
        assert line[16:18] == " |"
        assert line[18:58].strip("@").strip() == ""
        assert len(line) == 68
    return [(int(line[:16]), line.count("@"), int(line[58:])) for line in lines]


def test_zero_is_a_bucket_of_its_own_and_stands_after_the_negative_ones() -> None:
    assert bars([(0, 3), (1, 1)]) == [(-1, 0, 0), (0, 30, 3), (1, 10, 1), (2, 0, 0)]
    assert bars([(1, 1)]) == [(0, 0, 0), (1, 40, 1), (2, 0, 0)]


def test_empty_buckets_between_are_printed() -> None:
    assert bars([(0, 1), (4, 1)]) == [
        (-1, 0, 0),
        (0, 20, 1),
        (1, 0, 0),
        (2, 0, 0),
        (4, 20, 1),
        (8, 0, 0),
    ]


def test_a_half_is_rounded_up() -> None:
    # 40 / 80 is half a mark, and 39 / 79 less: floor(n * 40 / total + 0.5).
    assert bars([(1, 1), (2, 79)])[1] == (1, 1, 1)
    assert bars([(1, 1), (2, 80)])[1] == (1, 0, 1)


def test_values_wider_than_their_field() -> None:
    assert lines_of([(2**62, 10**10)]) == [
        f"{2**61} |{' ' * 40} 0        ",
        f"{2**62} |{'@' * 40} 10000000000",
        f"{2**63} |{' ' * 40} 0        ",
    ]


@given(st.dictionaries(st.integers(0, 40), st.integers(1, 10**9), min_size=1, max_size=6))
def test_every_count_is_printed_once(counts: dict[int, int]) -> None:
    buckets = [(1 << power, counts[power]) for power in sorted(counts)]
    lines = lines_of(buckets)
    shown = {int(line[:16]): int(line[58:]) for line in lines}
    assert {value: count for value, count in shown.items() if count} == dict(buckets)


def test_no_buckets_are_a_header() -> None:
    assert lines_of([]) == lines_of([(4, 0)]) == []
