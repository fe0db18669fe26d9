"""Cells against ipaddress, datetime and decimal."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcpsnoop.batches.addresses import halves

INT64 = st.integers(-(2**63), 2**63 - 1)
DIGITS = st.integers(0, 9)
QUOTES = st.sampled_from([0, ord('"')])
NO_SECOND = -(2**63)
SECOND = 10**9


def buffer(formatting: ModuleType) -> tuple[np.ndarray, np.ndarray]:
    out = np.zeros(80, np.uint8)
    return out, formatting.words.words_of(out)


def text(out: np.ndarray, end: int) -> str:
    return bytes(out[:end].tobytes()).decode("ascii")


def no_second() -> np.ndarray:
    return np.array([NO_SECOND, 0, 0, 0], np.int64)


def expected_time(time_ns: int, digits: int) -> str:
    """RFC 3339 in UTC by datetime, which knows microseconds, and the digits of the integer."""
    seconds, fraction = divmod(time_ns, SECOND)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    date = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return date + (f".{fraction:09}"[: 1 + digits] if digits else "") + "Z"


@given(st.ip_addresses(), st.booleans(), QUOTES)
@example(ipaddress.ip_address("::"), True, 0)
@example(ipaddress.ip_address("255.255.255.255"), True, 34)
@example(ipaddress.ip_address("1111:2222:3333:4444:5555:6666:7777:8888"), True, 34)
def test_addresses(
    formatting: ModuleType,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    brackets: bool,
    quote: int,
) -> None:
    out, words = buffer(formatting)
    high, low = halves(str(address))
    end = formatting.cells.write_endpoint(out, words, 0, high, low, int(brackets), quote)
    mapped = getattr(address, "ipv4_mapped", None)  # held, and so written, as IPv4
    plain = str(mapped or address)
    inner = f"[{plain}]" if brackets and ":" in plain else plain
    assert text(out, end) == (f'"{inner}"' if quote else inner)


@given(INT64, DIGITS, QUOTES)
@example(0, 0, 0)
@example(-1, 9, 0)
@example(-(2**63), 9, 34)
@example(2**63 - 1, 9, 34)
@example(951_782_399 * SECOND, 6, 0)  # 2000-02-28T23:59:59Z
@example(951_868_799 * SECOND, 6, 0)  # 2000-02-29T23:59:59Z, a leap year by the 400
@example(-2_203_891_200 * SECOND, 6, 0)  # 1900-03-01, not one by the 100
def test_times(formatting: ModuleType, time_ns: int, digits: int, quote: int) -> None:
    out, words = buffer(formatting)
    end = formatting.cells.write_time(out, words, 0, time_ns, digits, quote, no_second())
    mark = '"' if quote else ""
    assert text(out, end) == mark + expected_time(time_ns, digits) + mark


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, SECOND - 1)), max_size=8))
def test_times_that_share_a_second(formatting: ModuleType, moments: list[tuple[int, int]]) -> None:
    """The second written last is remembered; around the epoch it is 0, and below."""
    last = no_second()
    for seconds, fraction in moments:
        time_ns = seconds * SECOND + fraction
        out, words = buffer(formatting)
        end = formatting.cells.write_time(out, words, 0, time_ns, 9, 0, last)
        assert text(out, end) == expected_time(time_ns, 9)


@given(st.integers(0, 86_400 * SECOND - 1), DIGITS)
def test_clocks(formatting: ModuleType, day_ns: int, digits: int) -> None:
    out, words = buffer(formatting)
    end = formatting.cells.write_clock(out, words, 0, day_ns, digits)
    assert text(out, end) == expected_time(day_ns, digits)[11:-1]


@given(INT64, DIGITS)
@example(-(2**63), 9)
@example(-1, 6)
@example(-SECOND, 0)
def test_seconds_are_cut_off(formatting: ModuleType, value_ns: int, digits: int) -> None:
    out, words = buffer(formatting)
    end = formatting.cells.write_seconds(out, words, 0, value_ns, digits)
    exact = Decimal(value_ns).scaleb(-9)
    cut = exact.quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)
    assert text(out, end) == f"{cut:f}"


@given(st.integers(0, 2**63 - 1), DIGITS)
@example(0, 0)
@example(7, 9)
def test_decimals(formatting: ModuleType, value: int, digits: int) -> None:
    out, words = buffer(formatting)
    end = formatting.cells.write_decimal(words, 0, value, digits)
    assert text(out, end) == f"{Decimal(value).scaleb(-digits):f}"


@pytest.mark.parametrize(
    ("value_ns", "shown"),
    [
        (0, "0.0"),
        (5 * SECOND, "5.0"),
        (1_500_000_000, "1.5"),
        (120_000, "0.00012"),
        (SECOND + 1, "1.000000001"),
        (2**63 - 1, "9223372036.854775807"),
    ],
)
def test_the_shortest_seconds_lose_nothing(
    formatting: ModuleType, value_ns: int, shown: str
) -> None:
    out, words = buffer(formatting)
    shortest = formatting.operations.SHORTEST
    end = formatting.cells.write_seconds(out, words, 0, value_ns, shortest)
    assert text(out, end) == shown
