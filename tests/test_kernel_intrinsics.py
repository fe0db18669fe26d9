"""What kernels ask of the processor: compiled and interpreted it does the same."""

from __future__ import annotations

import importlib
import os
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.kernel import kernel, number_reader, prefetcher

compiled_alone = pytest.mark.skipif(
    os.environ.get("TCPSNOOP_INTERPRET") == "1", reason="kernels are interpreted"
)

DATA = np.frombuffer(bytes.fromhex("80 01 02 03 04 05 06 07 08 f9 0a 0b"), np.uint8)
FIELD = 3

prefetch = prefetcher()
u8, u16 = number_reader(1, "big"), number_reader(2, "big")
little32, s64 = number_reader(4, "little"), number_reader(8, "big")


def asked_for(values: NDArray[np.int64], index: int) -> int:
    """The first element, after a place that may not be there was asked for."""
    prefetch(values, index)
    return int(values[0])


def octet(data: NDArray[np.uint8], at: int) -> int:
    """One byte."""
    return int(u8(data, at, FIELD))


def pair(data: NDArray[np.uint8], at: int) -> int:
    """Two, the first one the highest."""
    return int(u16(data, at, FIELD))


def word(data: NDArray[np.uint8], at: int) -> int:
    """Four, the last one the highest."""
    return int(little32(data, at, FIELD))


def whole(data: NDArray[np.uint8], at: int) -> int:
    """All eight, with a sign."""
    return int(s64(data, at, FIELD))


def not_constant(data: NDArray[np.uint8], field: int) -> int:
    """A field whose place is only known as it runs."""
    return int(s64(data, 0, field))


@compiled_alone
def test_what_is_not_there_can_be_asked_for() -> None:
    for index in (0, 5, -1, 2**40):
        assert kernel(asked_for)(np.arange(7, 9), index) == 7
    prefetch(np.arange(3), 0)


@pytest.mark.parametrize(
    ("field", "size", "order"),
    [(octet, 1, "big"), (pair, 2, "big"), (word, 4, "little"), (whole, 8, "big")],
)
def test_numbers_are_read_where_they_are_and_nowhere_else(
    field: Any, size: int, order: Literal["big", "little"]
) -> None:
    last = len(DATA) - size - FIELD
    for function in (field, kernel(field)):
        for at in range(last + 1):
            place = slice(at + FIELD, at + FIELD + size)
            assert function(DATA, at) == int.from_bytes(DATA[place], order, signed=size == 8)
        # A header that begins before the bytes is not inside, wherever its field is.
        for at in (last + 1, -1, -FIELD, -(2**63), 2**63 - 1, 2**63 - 1 - FIELD):
            with pytest.raises(IndexError):
                function(DATA, at)
        for few in range(size + FIELD):
            with pytest.raises(IndexError):
                function(DATA[:few], 0)


@compiled_alone
def test_where_a_field_stands_is_a_constant() -> None:
    """Nothing compares it with anything."""
    errors: Any = importlib.import_module("numba.core.errors")
    assert not_constant(DATA, 4) == int.from_bytes(DATA[4:], "big", signed=True)
    with pytest.raises(errors.TypingError):
        kernel(not_constant)(DATA, 4)
