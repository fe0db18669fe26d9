"""Big-endian numbers, and the check before each header."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.dissect.fields import holds, little16, little32, s64, u8, u16, u32

HEADER = np.frombuffer(bytes.fromhex("00 80 ff 01 02 fe dc ba 98 76 54 32"), np.uint8)


def test_numbers_are_big_endian_and_wide() -> None:
    assert u8(HEADER, 2, 0) == 0xFF
    assert u16(HEADER, 0, 1) == 0x80FF
    assert u32(HEADER, 1, 1) == 0xFF0102FE
    assert s64(HEADER, 0, 0) == 0x0080FF0102FEDCBA
    assert s64(HEADER, 1, 0) == 0x80FF0102FEDCBA98 - 2**64
    assert s64(np.full(8, 0xFF, np.uint8), 0, 0) == -1


def test_numbers_are_little_endian_where_a_format_says_so() -> None:
    assert little16(HEADER, 0, 1) == 0xFF80
    assert little32(HEADER, 1, 1) == 0xFE0201FF


@pytest.mark.parametrize(
    ("at", "size", "expected"),
    [
        (0, 12, True),
        (0, 13, False),
        (11, 1, True),
        (12, 0, True),
        (12, 1, False),
        (13, 0, False),
        (-1, 1, False),
        (-12, 12, False),
        (2**62, 14, False),
        (-(2**62), 14, False),
    ],
)
def test_holds(at: int, size: int, expected: bool) -> None:
    assert holds(HEADER, at, size) is expected
