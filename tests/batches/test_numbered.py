"""Different things have one number each."""

from __future__ import annotations

from tcpsnoop.batches.numbered import NONE, Texts


def test_a_thing_has_one_number() -> None:
    texts = Texts()
    assert [texts.number(text) for text in ("a", "b", "a", "")] == [0, 1, 0, 2]
    assert list(texts) == ["a", "b", ""]
    assert texts[1:] == ["b", ""]


def test_an_empty_text_may_be_none() -> None:
    texts = Texts()
    assert [texts.number_or_none(text) for text in ("", "a", "")] == [NONE, 0, NONE]
    assert list(texts) == ["a"]
