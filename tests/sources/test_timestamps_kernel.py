"""Times of pcapng against exact fractions: any resolution, offset and 64-bit count."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.sources.blocks import enhanced, interface, option, resolution, section
from tests.sources.reading import packets_of, source_of

SECOND = 10**9
LATEST = 2**62 - 1  # so that the difference of any two times fits 64 bits


def unit(code: int) -> Fraction:
    """Seconds in a unit of if_tsresol (draft section 4.2): base 2 when the highest bit is set."""
    return Fraction(1, (2 if code & 0x80 else 10) ** (code & 0x7F))


def expected(code: int, offset: int, ticks: int) -> int | None:
    """Rounded down to a nanosecond; None when it, or one of its parts, is out of range."""
    counted = int(ticks * unit(code) * SECOND)
    time_ns = counted + offset * SECOND
    return time_ns if max(counted, abs(offset * SECOND), abs(time_ns)) <= LATEST else None


def time_of(code: int, offset: int, ticks: int) -> tuple[int, list[str]]:
    options = resolution("<", code) + option("<", 14, struct.pack("<q", offset))
    source = source_of(section() + interface(options=options) + enhanced(b"", ticks))
    return packets_of(source)[0].time_ns, list(source.anomalies)


@given(
    code=st.integers(0, 255),
    offset=st.one_of(st.just(0), st.integers(-(10**10), 10**10), st.integers(-(2**63), 2**63 - 1)),
    ticks=st.integers(0, 64).flatmap(lambda bits: st.integers(0, 2**bits - 1)),
)
@example(code=6, offset=0, ticks=2**64 - 1)
@example(code=0x80 | 32, offset=0, ticks=2**64 - 1)
@example(code=0x80 | 63, offset=0, ticks=2**64 - 1)
@example(code=0x80 | 127, offset=0, ticks=2**64 - 1)
@example(code=0x80, offset=2**62, ticks=2**32)
@example(code=127, offset=-1, ticks=2**64 - 1)
def test_any_time_is_exact_or_the_latest(code: int, offset: int, ticks: int) -> None:
    right = expected(code, offset, ticks)
    if right is None:
        told = "input: times after 2116 or before 1823, taken as 2116: 1"
        assert time_of(code, offset, ticks) == (LATEST, [told])
    else:
        assert time_of(code, offset, ticks) == (right, [])


@pytest.mark.parametrize("exponent", range(25))
def test_every_power_of_ten(exponent: int) -> None:
    for seconds in (0, 1, 1_700_000_000):
        ticks = seconds * 10**exponent + 10**exponent // 3
        if ticks < 2**64:
            expected_ns = seconds * SECOND + 10**exponent // 3 * SECOND // 10**exponent
            assert time_of(exponent, 0, ticks) == (expected_ns, [])


@pytest.mark.parametrize("exponent", range(64))
def test_every_power_of_two(exponent: int) -> None:
    half = 2**exponent // 2  # half a second, where there is one
    ticks = 2**exponent + half
    if ticks < 2**64:
        assert time_of(0x80 | exponent, 0, ticks) == (SECOND + (SECOND // 2 if half else 0), [])


@pytest.mark.parametrize(
    ("code", "digits"),
    [(0, 0), (3, 3), (6, 6), (9, 9), (12, 9), (0x80, 0), (0x80 | 10, 4), (0x80 | 32, 9)],
)
def test_digits_that_a_resolution_has(code: int, digits: int) -> None:
    # 2^-10 s is 0.0009765625 s: four decimal digits tell any two such times apart.
    source = source_of(section() + interface(options=resolution("<", code)))
    assert source.read(0) is None
    assert source.interfaces[0].digits == digits
