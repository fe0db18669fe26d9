"""Sequence numbers: modulo 2^32, unwrapped to int64 (RFC 9293 section 3.4, SEMANTICS 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.provider.sequence import MODULUS_MASK, distance, unwrap
from tests.provider.talk import Wire
from tests.provider.tracked import Counts, Totals, track

HALF = 2**31
numbers = st.integers(0, MODULUS_MASK)
unwrapped = st.integers(-HALF, 2**62)


@pytest.mark.parametrize(
    ("sequence", "reference", "expected"),
    [
        (0, 0, 0),
        (5, 3, 2),
        (3, 5, -2),
        (0, 2**32 - 1, 1),
        (2**32 - 1, 0, -1),
        (HALF - 1, 0, HALF - 1),
        (HALF, 0, -HALF),
        (HALF + 1, 0, -HALF + 1),
        (0, HALF, -HALF),
        (7, 2**40 + 5, 2),
    ],
)
def test_distance(sequence: int, reference: int, expected: int) -> None:
    assert distance(sequence, reference) == expected


@given(numbers, unwrapped)
def test_distance_is_the_shorter_way_around(sequence: int, reference: int) -> None:
    ahead = distance(sequence, reference)
    assert -HALF <= ahead < HALF
    assert (reference + ahead - sequence) % 2**32 == 0


@given(numbers, unwrapped)
def test_unwrapped_is_the_nearest_that_it_stands_for(sequence: int, near: int) -> None:
    found = unwrap(sequence, near)
    assert found % 2**32 == sequence
    assert abs(found - near) <= HALF


def test_numbers_wrap_twice() -> None:
    """Ten gigabytes in segments of half a gigabyte, every tenth sent again."""
    size, count = 2**29, 20
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    for number in range(count):
        at = talk.a.next
        talk.a.push(size)
        if number % 10 == 9:
            talk.a.push(size, sequence=at)
        talk.b.ack()
    talk.close()
    assert totals(wire) == (
        Counts(2 + count + 2 + 2, (count + 2) * size, 2 * size),
        Counts(1 + count + 2, 0),
    )
    writes = [each.bytes for each in track(wire.sent, "write")]
    assert writes == [size] * count


@pytest.mark.parametrize("start", [0, 1, 2**31 - 10, 2**31, 2**32 - 1])
def test_midstream_numbers_wrap_twice_too(start: int) -> None:
    """What is sent again is never taken for bytes that came before the first one seen."""
    size, count = 2**28, 40
    wire = Wire()
    talk = wire.talk(isn=(start, 5_000))
    for _ in range(count):
        at = talk.a.next
        talk.a.push(size)
        talk.a.push(1_000, sequence=at)
        talk.b.ack()
    assert totals(wire)[0] == Counts(2 * count, count * (size + 1_000), count * 1_000)


@pytest.mark.parametrize("start", [0, 10, 2**31, 2**32 - 50])
def test_midstream_bytes_from_before_the_first_one_and_a_wrap_after_it(start: int) -> None:
    """Two segments overtaken by the first one seen are new; all that is repeated later is not."""
    size, count = 2**29, 20
    wire = Wire()
    talk = wire.talk(isn=(start + 2**32, 5_000))
    talk.a.push(100)
    talk.a.push(50, sequence=start - 50)
    talk.a.push(50, sequence=start - 100)
    talk.a.push(50, sequence=start - 100)
    for _ in range(count):
        at = talk.a.next
        talk.a.push(size)
        talk.a.push(30, sequence=at - 30)
        talk.b.ack()
    payload = 250 + count * (size + 30)
    assert totals(wire)[0] == Counts(4 + 2 * count, payload, 50 + count * 30)


def totals(wire: Wire) -> tuple[Counts, Counts]:
    """What the originator and the responder sent."""
    found: Totals | None = track(wire.sent, "closed")[0].totals
    assert found is not None
    return found.rx, found.tx
