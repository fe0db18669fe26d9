"""Words: copying, digits, blanks, and nothing written beyond the slack."""

from __future__ import annotations

import ipaddress
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

ROOM = 64
GUARD = 0xAA
INT64_MAX = 2**63 - 1

at_places = st.integers(0, 9)


class Page:
    """A buffer of known bytes, and its words."""

    def __init__(self, formatting: ModuleType) -> None:
        self.slack: int = formatting.words.SLACK
        self.bytes = np.full(ROOM, GUARD, np.uint8)
        self.words: Any = formatting.words.words_of(self.bytes)

    def text(self, first: int, end: int) -> str:
        return self.bytes[first:end].tobytes().decode()

    def is_untouched(self, first: int, end: int) -> bool:
        """Whether nothing but `first` to `end` and the slack after it was written."""
        return bool(
            (self.bytes[:first] == GUARD).all() and (self.bytes[end + self.slack :] == GUARD).all()
        )


@given(at_places, st.integers(0, INT64_MAX))
@example(0, 0)
@example(0, 999)
@example(0, 1_000)
@example(0, 999_999)
@example(0, 1_000_000)
@example(3, 1_000_000_000_000_000_000)
@example(3, INT64_MAX)
def test_numbers_are_those_of_python(formatting: ModuleType, at: int, value: int) -> None:
    page = Page(formatting)
    end = formatting.words.write_number(page.words, at, value)
    assert page.text(at, end) == str(value)
    assert page.is_untouched(at, end)


@given(at_places, st.integers(0, 2**32 - 1))
@example(0, 0)
@example(0, 2**32 - 1)
def test_ipv4_addresses_are_those_of_ipaddress(
    formatting: ModuleType, at: int, address: int
) -> None:
    page = Page(formatting)
    end = formatting.words.write_ipv4(page.words, at, address)
    assert page.text(at, end) == str(ipaddress.IPv4Address(address))
    assert page.is_untouched(at, end)


@given(at_places, st.integers(0, 999_999_999), st.integers(0, 9))
def test_fractions_are_cut_off(
    formatting: ModuleType, at: int, nanoseconds: int, digits: int
) -> None:
    page = Page(formatting)
    end = formatting.words.write_fraction(page.words, at, nanoseconds, digits)
    point = "." if digits else ""
    assert page.text(at, end) == f"{point}{nanoseconds:09}"[: digits + len(point)]
    longest = at + 10  # a cell of a time has room for nine digits, whatever it shows
    assert page.is_untouched(at, longest)


@given(at_places, st.binary(max_size=30), st.integers(0, 7))
def test_copies_are_exact(formatting: ModuleType, at: int, text: bytes, first: int) -> None:
    words = formatting.words
    source = words.words_of(words.bytes_with_slack(bytes(first) + text))
    page = Page(formatting)
    end = words.copy(page.words, at, source, first, len(text))
    assert page.bytes[at:end].tobytes() == text
    assert page.is_untouched(at, end)


@given(at_places, st.text("0123456789abcdef:.", max_size=24), st.integers(1, 20))
def test_an_indented_text_is_that_of_rjust(
    formatting: ModuleType, first: int, text: str, blanks: int
) -> None:
    page = Page(formatting)
    end = first + len(text)
    page.bytes[first:end] = np.frombuffer(text.encode(), np.uint8)
    widened = formatting.words.indent(page.words, first, end, blanks)
    assert page.text(first, widened) == text.rjust(len(text) + blanks)
    assert page.is_untouched(first, widened)


def test_a_write_beyond_the_buffer_is_refused(formatting: ModuleType) -> None:
    page = Page(formatting)
    with pytest.raises(IndexError):
        formatting.words.write_number(page.words, ROOM - 7, 1)
    assert page.is_untouched(ROOM, ROOM)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 100])
def test_views_of_words_are_of_one_type_whatever_their_length(
    formatting: ModuleType, length: int
) -> None:
    """Numba compiles anew for another layout or alignment."""
    words = formatting.words.words_of(formatting.words.bytes_with_slack(bytes(length)))
    assert len(words) >= length + 1
    assert not words.flags.c_contiguous
    assert not words.flags.aligned
