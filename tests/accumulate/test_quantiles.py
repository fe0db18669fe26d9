"""Quantiles against sorted lists: nearest rank within 1 %, any split, under the caps, pickled."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.accumulate import quantiles
from tcpsnoop.accumulate.places import bucket_of
from tcpsnoop.accumulate.quantiles import Quantiles, log_linear_bounds

LARGEST = 2**63 - 1
EDGES = sorted({0, LARGEST} | {2**k + d for k in range(1, 63) for d in (-1, 0, 1)})
Row = tuple[int, int]  # key, value

# Few values of many bits, so that quantiles are of values that differ; 2^55 of them can be summed.
values = st.integers(0, 55).flatmap(lambda bits: st.integers(0, 2**bits))
rows = st.lists(st.tuples(st.integers(-1, 3), values), max_size=60)
percents = st.sampled_from([1, 25, 50, 75, 95, 99, 100])


def observed(stream: Sequence[Row], max_keys: int = 100) -> Quantiles:
    block = Quantiles(1, max_keys)
    key, value = np.array(stream, np.int64).reshape(-1, 2).T
    block.observe((key,), value)
    return block


def seen(block: Quantiles) -> list[tuple[int, ...]]:
    """All that can be seen of a block."""
    (found,) = block.distributions()
    columns = [found.totals.key(0), found.count, found.sum, found.least, found.most]
    columns += [found.quantile(percent) for percent in (1, 50, 95, 99, 100)]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_buckets_ascend_without_gaps() -> None:
    least, most = log_linear_bounds(np.arange(128 + 64 * 56))
    assert least[0] == 0
    assert (least[1:] == most[:-1] + 1).all()
    assert most[-1] == LARGEST


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(0, LARGEST)), min_size=1))
def test_a_bucket_holds_its_values_and_is_a_64th_wide(numbers: list[int]) -> None:
    buckets = np.array([bucket_of(number, 6) for number in numbers])
    least, most = (bound.tolist() for bound in log_linear_bounds(buckets))
    for number, low, high in zip(numbers, least, most, strict=True):
        assert low <= number <= high
        assert (high - low + 1) * 64 <= max(low, 64)


@given(stream=rows, percent=percents)
def test_a_quantile_is_within_1_percent_of_the_nearest_rank(
    stream: list[Row], percent: int
) -> None:
    (found,) = observed(stream).distributions()
    answers = zip(found.totals.key(0).tolist(), found.quantile(percent).tolist(), strict=True)
    expected = {}
    for key in {key for key, _ in stream}:
        ascending = sorted(value for other, value in stream if other == key)
        rank = max(1, -(-len(ascending) * percent // 100))
        expected[key] = ascending[rank - 1]
    answered = dict(answers)
    assert answered.keys() == expected.keys()
    for key, answer in answered.items():
        assert abs(answer - expected[key]) * 100 <= expected[key]


@given(stream=rows)
def test_count_sum_least_and_most_are_exact(stream: list[Row]) -> None:
    for key, count, total, least, most, *_ in seen(observed(stream)):
        mine = [value for other, value in stream if other == key]
        assert (count, total, least, most) == (len(mine), sum(mine), min(mine), max(mine))


@given(stream=rows)
def test_histograms_are_of_powers_of_two(stream: list[Row]) -> None:
    (found,) = observed(stream).distributions()
    histogram = found.histograms()
    for row, key in enumerate(found.totals.key(0).tolist()):
        mine = Counter(
            1 << value.bit_length() - 1 if value else 0 for other, value in stream if other == key
        )
        assert histogram(row) == sorted([lower, count] for lower, count in mine.items())


@pytest.fixture(params=[None, 0, 1, 7], ids=lambda rows: f"{rows} buckets")
def few_buckets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(quantiles, "MAX_BUCKETS", request.param)


@pytest.mark.usefixtures("few_buckets")
@given(parts=st.lists(rows, min_size=2, max_size=4), cap=st.sampled_from([0, 1, 3, 100]))
def test_any_split_merged_in_any_grouping_is_the_whole(parts: list[list[Row]], cap: int) -> None:
    whole = seen(observed([row for part in parts for row in part], cap))
    left = Quantiles(1, cap)
    for part in parts:
        left.merge(observed(part, cap))
    assert seen(left) == whole
    blocks = [observed(part, cap) for part in parts]
    for block, later in zip(reversed(blocks[:-1]), reversed(blocks[1:]), strict=True):
        block.merge(pickle.loads(pickle.dumps(later)))
    assert seen(blocks[0]) == whole
    again = Quantiles(1, cap)
    for part in parts:
        key, value = np.array(part, np.int64).reshape(-1, 2).T
        again.observe((key,), value)
        assert seen(again) is not None  # asking between the batches settles what is pending
    assert seen(again) == whole


@given(stream=rows, most=st.integers(0, 20))
def test_keys_that_are_kept_are_exact_and_their_buckets_no_more_than_the_cap(
    stream: list[Row], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "MAX_BUCKETS", most)
        block = observed(stream)
    (totals,) = (each.totals for each in block.distributions())
    kept = len(totals) - totals.has_other
    assert totals.starts[kept] <= most
    everything = set(seen(observed(stream)))
    lines = seen(block)
    exact = [line for line in lines if line in everything]
    assert len(exact) >= kept
    assert sum(count for _, count, *_ in lines) == len(stream)
    keys = len({key for key, _ in stream})
    assert totals.has_other == (kept < keys)


def test_a_key_that_lost_its_buckets_stays_the_other() -> None:
    """Otherwise what came of it after the cut would count as all of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "MAX_BUCKETS", 3)
        block = Quantiles(1, 100)
        for start in range(2):
            key = np.repeat(np.arange(4), 2)
            block.observe((key,), np.tile([1 + start, 100 + start], 4))
            assert block.distributions()[0].totals.has_other
    # The first key in the order of hashes needs four buckets in the end, more than there are.
    (found,) = block.distributions()
    assert found.count.tolist() == [16]
    assert found.totals.has_other


@given(
    stream=st.lists(st.tuples(rows.map(lambda each: each[:1]), st.integers(0, 4)), max_size=40),
    most=st.sampled_from([0, 2, 100]),
)
def test_a_group_is_as_if_it_were_alone(stream: list[tuple[list[Row], int]], most: int) -> None:
    """Of five; but a key counts once for the cap, whatever groups have it."""
    flat = [(key, value, group) for pairs, group in stream for key, value in pairs]
    block = Quantiles(1, most, 5)
    key, value, group = np.array(flat, np.int64).reshape(-1, 3).T
    block.observe((key,), value, group)
    other = block.distributions()
    assert len(other) == 5
    whole = observed([(key, value) for key, value, _ in flat], most).distributions()[0].totals
    kept = set(whole.key(0)[: len(whole) - whole.has_other].tolist())
    for number, found in enumerate(other):
        mine = [(key, value) for key, value, group in flat if group == number]
        (expected,) = observed([row for row in mine if row[0] in kept]).distributions()
        beyond = [value for key, value in mine if key not in kept]
        assert found.totals.has_other == bool(beyond)
        end = len(found) - found.totals.has_other
        for name in ("count", "sum", "least", "most"):
            told = dict(zip(found.totals.key(0)[:end], getattr(found, name)[:end], strict=True))
            alone = dict(zip(expected.totals.key(0), getattr(expected, name), strict=True))
            assert told == alone
        assert found.quantile(50)[:end].tolist() == [
            quantile
            for key in found.totals.key(0)[:end].tolist()
            for at, quantile in zip(
                expected.totals.key(0).tolist(), expected.quantile(50).tolist(), strict=True
            )
            if at == key
        ]
        if beyond:
            assert (found.count[-1], found.least[-1]) == (len(beyond), min(beyond))
