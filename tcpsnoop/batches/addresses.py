"""One 128-bit form for IPv4 and IPv6 addresses, and its text.

An address is a pair of int64, the high and the low half of the 128 bits. IPv4 is held as
`::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2) and written as `a.b.c.d`, so one code path serves both.
"""

from __future__ import annotations

import ipaddress

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, kernel

MAPPED = 0xFFFF_0000_0000  # the low half of ::ffff:0.0.0.0
LONGEST_TEXT = 39  # eight groups of four hexadecimal digits and seven colons

Addresses = NDArray[np.int64]  # shape (n, 2): high half, low half

_HALF = 1 << 64
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)

# Texts as numbers of base 19: the end and what can stand in an address, in the order of ASCII.
_SYMBOLS = b"\0.0123456789:abcdef"
_RANKS = np.zeros(256, np.uint64)
_RANKS[np.frombuffer(_SYMBOLS, np.uint8)] = np.arange(len(_SYMBOLS))
_RANKS_IN_WORD = 15  # 19^15 < 2^64
_WORDS = 3
_WEIGHTS = np.array([len(_SYMBOLS) ** n for n in reversed(range(_RANKS_IN_WORD))], np.uint64)
_TEXTS_AT_ONCE = 4096


def halves(text: str) -> tuple[int, int]:
    """The two int64 halves of an address given as text; ValueError when it is none."""
    address = ipaddress.ip_address(text)
    value = int(address)
    if address.version == 4:
        value |= MAPPED
    high, low = divmod(value, _HALF)
    return _signed(high), _signed(low)


def text_of(high: int, low: int) -> str:
    """The text of one address (RFC 5952; IPv4-mapped as IPv4)."""
    room = np.zeros(LONGEST_TEXT, np.uint8)
    end = write_address(room, 0, np.int64(high), np.int64(low))
    return room[:end].tobytes().decode("ascii")


def texts_of(addresses: Addresses) -> NDArray[np.bytes_]:
    """The texts of many addresses, shape (n,), dtype S39: they compare and sort as text."""
    room = np.zeros((len(addresses), LONGEST_TEXT), np.uint8)
    _write_addresses(room, np.ascontiguousarray(addresses))
    return room.view(f"S{LONGEST_TEXT}").reshape(len(addresses))


def text_words(high: NDArray[np.int64], low: NDArray[np.int64]) -> list[NDArray[np.uint64]]:
    """Words for each address, most significant first, that compare as its text does.

    At most three columns of shape (n,): a fifth of the texts' bytes when all are IPv4.
    """
    words = np.zeros((_WORDS, len(high)), np.uint64)
    for start in range(0, len(high), _TEXTS_AT_ONCE):
        piece = slice(start, start + _TEXTS_AT_ONCE)
        texts = texts_of(np.stack((high[piece], low[piece]), axis=1))
        ranks = np.zeros((len(texts), _WORDS * _RANKS_IN_WORD), np.uint64)
        ranks[:, :LONGEST_TEXT] = _RANKS[texts.view(np.uint8).reshape(-1, LONGEST_TEXT)]
        for word, part in enumerate(np.split(ranks, _WORDS, axis=1)):
            if word == 0 or part.any():
                words[word, start : start + len(texts)] = part @ _WEIGHTS
    return [words[0], *(column for column in words[1:] if column.any())]


@kernel
def write_decimal(out: NDArray[np.uint8], at: Integer, value: Integer) -> Integer:
    """Write a non-negative number at `at`; the end of what was written."""
    digits = 1
    rest = value // 10
    while rest > 0:
        digits += 1
        rest //= 10
    end = at + digits
    place = end
    while place > at:
        place -= 1
        out[place] = 48 + value % 10
        value //= 10
    return end


@kernel
def write_address(out: NDArray[np.uint8], at: Integer, high: Integer, low: Integer) -> Integer:
    """Write an address in the form of RFC 5952 section 4; the end of what was written.

    `out` must have LONGEST_TEXT bytes from `at`.
    """
    if high == 0 and (low >> 32) == 0xFFFF:
        for shift in range(24, -8, -8):
            at = write_decimal(out, at, (low >> shift) & 0xFF)
            if shift > 0:
                out[at] = 46  # .
                at += 1
        return at
    start, length = _longest_zero_run(high, low)
    group = 0
    while group < 8:
        if group == start:
            out[at] = 58  # :
            at += 1
            if group == 0:
                out[at] = 58
                at += 1
            group += length
            continue
        at = _write_group(out, at, _group(high, low, group))
        group += 1
        if group < 8:
            out[at] = 58
            at += 1
    return at


@kernel
def _group(high: Integer, low: Integer, index: Integer) -> Integer:
    if index < 4:
        return (high >> (48 - 16 * index)) & 0xFFFF
    return (low >> (48 - 16 * (index - 4))) & 0xFFFF


@kernel
def _longest_zero_run(high: Integer, low: Integer) -> tuple[Integer, Integer]:
    """The first longest run of at least two zero groups; (-1, 0) when there is none."""
    best, best_length = -1, 1
    run = 0
    for index in range(8):
        run = run + 1 if _group(high, low, index) == 0 else 0
        if run > best_length:
            best, best_length = index - run + 1, run
    return (best, best_length) if best >= 0 else (-1, 0)


@kernel
def _write_group(out: NDArray[np.uint8], at: Integer, value: Integer) -> Integer:
    begun = False
    for shift in range(12, -4, -4):
        digit = (value >> shift) & 0xF
        if begun or digit > 0 or shift == 0:
            out[at] = _DIGITS[digit]
            at += 1
            begun = True
    return at


@kernel
def _write_addresses(room: NDArray[np.uint8], addresses: Addresses) -> None:
    for index in range(len(addresses)):
        write_address(room[index], 0, addresses[index, 0], addresses[index, 1])


def _signed(half: int) -> int:
    return half - _HALF if half >= _HALF >> 1 else half
