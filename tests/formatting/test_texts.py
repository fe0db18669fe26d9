"""Texts made safe: nothing lost that a reader can get back, nothing let through that does harm."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcpsnoop.formatting.texts import csv_text, json_text, json_value, terminal_text

# With lone surrogates, which os.fsdecode makes of bytes that are no UTF-8.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(ANY_TEXT)
@example("\x1b]0;owned\x07")
@example("\x9b31m")
def test_a_terminal_sees_only_what_is_printable(text: str) -> None:
    safe = terminal_text(text)
    assert safe.isprintable()
    safe.encode()
    if text.isprintable():
        assert safe == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nginx: worker", "nginx: worker"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\tc\rd", r"a\x0ab\x09c\x0dd"),
        ("\x7f\x9b2J", r"\x7f\x9b2J"),
        ("caf\xe9", "café"),
        ("\udcff\udc80", r"\xff\x80"),  # bytes 0xff and 0x80 (PEP 383)
        ("\ud800", r"\ud800"),
        ("a\u202eb", r"a\u202eb"),  # RIGHT-TO-LEFT OVERRIDE
        ("\U000e0001", r"\U000e0001"),  # a tag character
        ("", ""),
    ],
)
def test_what_is_not_printable_is_an_escape(text: str, shown: str) -> None:
    assert terminal_text(text) == shown


@given(ANY_TEXT)
def test_json_strings_are_read_back_as_they_were(text: str) -> None:
    written = json_text(text)
    assert json.loads(written) == text
    assert not CONTROL.search(written)
    assert len(written.splitlines()) == 1
    written.encode()


@given(JSON_VALUES)
def test_json_values_are_read_back_as_they_were(value: object) -> None:
    written = json_value(value)
    assert json.loads(written) == value
    assert not CONTROL.search(written)
    written.encode()


def test_json_is_compact_and_in_utf8() -> None:
    assert json_value([["é", 1], {"a": None}]) == '[["é",1],{"a":null}]'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_value([value])


@given(ANY_TEXT)
def test_csv_fields_are_one_line_and_read_back(text: str) -> None:
    written = csv_text(text)
    assert not CONTROL.search(written)
    written.encode()
    (row,) = csv.reader(io.StringIO(f"{written},end\n"), strict=True)
    assert row[1] == "end"
    if not any(unicodedata.category(one) in ("Cc", "Cs") for one in text):
        assert row[0] == text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("nginx", "nginx"),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        (" padded ", " padded "),
        ("=1+1", "=1+1"),
        ("two\nlines", r"two\x0alines"),
        ("\x1b[2J,", r'"\x1b[2J,"'),
        ("\udcff", r"\xff"),
        ("", '""'),
    ],
)
def test_csv_quotes_where_rfc_4180_asks_for_it(text: str, field: str) -> None:
    assert csv_text(text) == field
