"""Keyed against a dictionary: any stream, any split, any order of merging, under a cap, pickled."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.accumulate import keyed, recent
from tcpsnoop.accumulate.keyed import Keyed

# High and low of a key, a bucket, a size.
Row = tuple[int, int, int, int]
halves = st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])
rows = st.lists(st.tuples(halves, st.integers(0, 5), st.integers(0, 63), st.integers(0, 9)))
caps = st.sampled_from([0, 1, 3, 8, 1000])
Answer = dict[tuple[int, int], tuple[int, int, int, int, dict[int, int]]]


def empty(max_keys: int = 1000) -> Keyed:
    return Keyed(2, (np.add, np.add, np.minimum, np.maximum), max_keys)


def observed(stream: Sequence[Row], max_keys: int = 1000) -> Keyed:
    result = empty(max_keys)
    observe(result, stream)
    return result


def observe(target: Keyed, stream: Sequence[Row]) -> None:
    high, low, bucket, size = np.array(stream, np.int64).reshape(-1, 4).T
    target.observe((high, low), (1, size, size, size), bucket)


def answer(block: Keyed) -> tuple[Answer, tuple[int, ...] | None]:
    """What the block knows of each key, and of the other."""
    totals = block.totals()
    found: Answer = {}
    other = None
    for row in range(len(totals)):
        own = slice(*totals.starts[row : row + 2])
        counts, buckets = totals.by_bucket[0][own].tolist(), totals.buckets[own].tolist()
        assert buckets == sorted(set(buckets))
        count, size, least, most = (int(totals.value(number)[row]) for number in range(4))
        assert sum(counts) == count
        if totals.has_other and row == len(totals) - 1:
            other = count, size, least, most
        else:
            high, low = (int(totals.key(number)[row]) for number in range(2))
            assert (high, low) not in found
            found[high, low] = count, size, least, most, dict(zip(buckets, counts, strict=True))
    return found, other


def expected(stream: Sequence[Row]) -> Answer:
    found: Answer = {}
    for key in {(high, low) for high, low, _, _ in stream}:
        sizes = [size for high, low, _, size in stream if (high, low) == key]
        buckets = Counter(bucket for high, low, bucket, _ in stream if (high, low) == key)
        found[key] = len(sizes), sum(sizes), min(sizes), max(sizes), dict(buckets)
    return found


@pytest.fixture(params=["little room", "much room"], autouse=True)
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without sorting after each row or three."""
    if request.param == "little room":
        monkeypatch.setattr(recent, "_LEAST_LINES", 2)
        monkeypatch.setattr(keyed, "_RECENT_BITS", 2)


@pytest.fixture(params=["57 bits", "1 bit"])
def hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real hash, and with one by which keys meet."""
    if request.param == "1 bit":
        monkeypatch.setattr(keyed, "_HASH_MASK", 1)


@pytest.mark.usefixtures("hashes")
@given(stream=rows)
def test_a_stream_is_what_a_dictionary_makes_of_it(stream: list[Row]) -> None:
    assert answer(observed(stream)) == (expected(stream), None)


def test_many_keys_that_meet_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are known, so somebody may choose such keys: more than are looked at one by one."""
    monkeypatch.setattr(keyed, "_HASH_MASK", 0)
    stream = [(key % 200, key % 7, 0, key) for key in range(3000)]
    assert answer(observed(stream, 10**6)) == (expected(stream), None)


@pytest.mark.usefixtures("hashes")
@given(parts=st.lists(rows, min_size=1, max_size=4), cap=caps, from_right=st.booleans())
def test_any_split_merged_in_any_grouping_is_the_whole(
    parts: list[list[Row]], cap: int, from_right: bool
) -> None:
    whole = answer(observed([row for part in parts for row in part], cap))
    blocks = [observed(part, cap) for part in parts]
    assert answer(grouped(blocks, from_right)) == whole
    batches = empty(cap)
    for part in parts:
        observe(batches, part)
    assert answer(batches) == whole


def grouped(blocks: list[Keyed], from_right: bool) -> Keyed:
    if from_right:
        *first, last = blocks
        for block in reversed(first):
            block.merge(last)
            last = block
        return last

    def into(left: Keyed, right: Keyed) -> Keyed:
        left.merge(right)
        return left

    return reduce(into, blocks)


@given(stream=rows, cap=caps)
def test_an_empty_one_changes_nothing_on_either_side(stream: list[Row], cap: int) -> None:
    whole = answer(observed(stream, cap))
    left, right = empty(cap), observed(stream, cap)
    left.merge(observed(stream, cap))
    right.merge(empty(cap))
    assert answer(left) == answer(right) == whole


@given(stream=rows, cap=caps)
def test_what_is_kept_under_the_cap_is_exact_and_the_other_has_the_rest(
    stream: list[Row], cap: int
) -> None:
    everything = expected(stream)
    kept, other = answer(observed(stream, cap))
    assert len(kept) == min(cap, len(everything))
    assert kept.items() <= everything.items()
    rest = [values for key, values in everything.items() if key not in kept]
    assert (other is None) == (rest == [])
    if other is not None:
        counts, sizes, least, most, _ = zip(*rest, strict=True)
        assert other == (sum(counts), sum(sizes), min(least), max(most))


@given(stream=rows)
def test_what_is_kept_hangs_on_the_keys_alone(stream: list[Row]) -> None:
    forwards, backwards = observed(stream, 3), observed(stream[::-1] * 2, 3)
    assert answer(forwards)[0].keys() == answer(backwards)[0].keys()


@given(stream=rows, more=rows, cap=caps)
def test_pickling_merging_from_and_asking_change_nothing(
    stream: list[Row], more: list[Row], cap: int
) -> None:
    block, other = observed(stream, cap), observed(more, cap)
    before = answer(block), answer(other)
    copy = pickle.loads(pickle.dumps(block))
    assert (answer(copy), answer(other)) == before
    copy.merge(other)
    assert (answer(block), answer(other)) == before
    assert answer(copy) == answer(observed(stream + more, cap))
    observe(copy, stream)
    assert (answer(block), answer(other)) == before


def test_a_row_whose_value_is_negative_is_kept_in_the_lowest_bucket() -> None:
    block = Keyed(1, [np.add], 10, share_bits=0)
    block.observe((np.array([1, 2]),), (np.array([-7, 5]),), np.array([-7, 5]))
    totals = block.totals()
    found = zip(totals.key(0).tolist(), totals.buckets.tolist(), strict=True)
    assert sorted(found) == [(1, 0), (2, 3)]
    assert sorted(totals.value(0).tolist()) == [-7, 5]


def test_batches_are_copied() -> None:
    """A batch is overwritten by the next."""
    high, low = np.array([1, 2]), np.array([3, 4])
    block = Keyed(2, [np.add], 10)
    block.observe((high, low), (high,))
    high[:] = low[:] = 9
    totals = block.totals()
    keys = zip(totals.key(0).tolist(), totals.key(1).tolist(), strict=True)
    assert sorted(keys) == [(1, 3), (2, 4)]
    assert sorted(totals.value(0).tolist()) == [1, 2]


def test_mapped_replaces_one_column_of_values() -> None:
    block = observed([(1, 1, 0, 5), (1, 1, 1, 7)])
    doubled = block.mapped(1, lambda sizes: sizes * 2)
    assert answer(doubled)[0] == {(1, 1): (2, 24, 5, 7, {0: 1, 1: 1})}
    assert answer(block)[0] == {(1, 1): (2, 12, 5, 7, {0: 1, 1: 1})}


def test_a_million_keys_take_the_bytes_of_their_columns() -> None:
    """Measured as allocated: the rows, and little more while they come."""
    import tracemalloc

    count, batch = 1 << 20, 1 << 14
    random = np.random.default_rng(1)
    block = Keyed(3, [np.add], count)
    tracemalloc.start()
    for start in range(0, count, batch):
        low = np.arange(start, start + batch)
        block.observe((random.integers(0, 2**62, batch), low, low & 0xFFFF), (1,))
    block.totals()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 26 * count  # 8 of hash, 8 and 4 and 4 of key, 1 of value
    assert peak < 55 * count  # the same twice, as it is merged, and the recent rows
