"""Addresses against the standard library: their halves, their text, their order as text."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.batches.addresses import halves, text_of, text_words, texts_of

# Groups of 0 and of one digit make runs of zeros to shorten; the last 32 bits make IPv4.
groups = st.lists(st.sampled_from([0, 0, 1, 0xA, 0x10, 0xFFFF]), min_size=8, max_size=8)
addresses = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.ip_addresses(network="::fffe:0:0/95"),
    groups.map(lambda each: ipaddress.IPv6Address(b"".join(g.to_bytes(2, "big") for g in each))),
)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def text(address: Address) -> str:
    """RFC 5952, but IPv4-mapped as IPv4."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def columns(given_addresses: list[Address]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array([halves(str(each)) for each in given_addresses], np.int64).reshape(-1, 2)


@given(addresses)
def test_text_is_what_the_standard_library_says(address: Address) -> None:
    assert text_of(*halves(str(address))) == text(address)


@given(st.lists(addresses))
def test_texts_of_many(many: list[Address]) -> None:
    assert texts_of(columns(many)).tolist() == [text(each).encode() for each in many]


@given(st.lists(addresses, max_size=20))
def test_words_sort_as_texts_do(many: list[Address]) -> None:
    high, low = columns(many).T
    words = text_words(high, low)
    texts = [text(each).encode() for each in many]
    found = [texts[at] for at in np.lexsort([*reversed(words)]).tolist()]
    assert found == sorted(texts)
    as_tuples = list(zip(*(word.tolist() for word in words), strict=True))
    for i in range(len(many)):
        assert [as_tuples[i] == each for each in as_tuples] == [texts[i] == each for each in texts]


def test_words_of_more_addresses_than_are_written_at_once() -> None:
    low = (0xFFFF << 32) + np.arange(10_000) * 4099
    high = np.zeros_like(low)
    assert len(text_words(high, low)) == 1, "IPv4 fits one word"
    high[9_999] = halves("2001:db8:1111:2222:3333:4444:5555:6666")[0]
    words = text_words(high, low)
    texts = texts_of(np.stack((high, low), axis=1))
    assert np.lexsort([*reversed(words)]).tolist() == np.argsort(texts, kind="stable").tolist()


def test_halves_of_what_is_no_address() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0"):
        halves("10.0.0")
