"""Pools: what is encoded, how often, and how entries are found among several pools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tcpsnoop.batches.segments import flags_text
from tcpsnoop.formatting.fields import Style
from tcpsnoop.formatting.pools import EncodedPool, JoinedPools, PoolEncoder, encode
from tcpsnoop.report import Kind


class Encodings:
    """A style that counts what it encodes."""

    def __init__(self) -> None:
        self.count = 0
        self.style = Style(unknown="-", mark="", text=self._text, value=lambda value: f"{value}!")

    def _text(self, text: str) -> str:
        self.count += 1
        return f"<{text}>"


def entries(pool: EncodedPool) -> Iterator[str]:
    ends = np.cumsum(pool.lengths)
    for end, length in zip(ends.tolist(), pool.lengths.tolist(), strict=True):
        yield pool.text[end - length : end].decode()


def shown(
    encoder: PoolEncoder, index: Sequence[int], pool: Sequence[object], rows: int = 0
) -> list[str | None]:
    chosen, encoded = encoder.encode(np.array(index, np.int64), pool, rows or len(index))
    texts = list(entries(encoded))
    return [texts[at] if at >= 0 else None for at in chosen.tolist()]


def test_lengths_are_of_bytes_and_of_characters() -> None:
    pool = encode(["a", "é", "", "→x"])
    assert pool.lengths.tolist() == [1, 2, 0, 4]
    assert pool.characters.tolist() == [1, 1, 0, 2]
    assert pool.longest == 4


def test_joined_pools_keep_their_entries_apart() -> None:
    joined = JoinedPools.of([encode(["ab", "c"]), encode([]), encode(["def"])])
    assert joined.bases == (0, 2, 2)
    assert joined.starts.tolist() == [0, 2, 3, 6]
    assert joined.longest == len("ab") + len("") + len("def")


def test_no_pools_are_a_pool_without_entries() -> None:
    joined = JoinedPools.of([])
    assert (joined.starts.tolist(), joined.characters.tolist(), joined.bases) == ([0], [], ())


def test_a_pool_that_comes_again_is_encoded_once() -> None:
    encodings = Encodings()
    encoder = PoolEncoder(Kind.TEXT, encodings.style)
    pool = ["ssh", "telnet"]
    assert shown(encoder, [0, -1, 1], pool) == ["<ssh>", None, "<telnet>"]
    assert shown(encoder, [1], pool) == ["<telnet>"]
    assert encodings.count == 2


def test_a_pool_that_grew_is_encoded_again() -> None:
    encoder = PoolEncoder(Kind.TEXT, Encodings().style)
    pool = ["ssh"]
    shown(encoder, [0], pool)
    pool.append("finger")
    assert shown(encoder, [1, 0], pool) == ["<finger>", "<ssh>"]


@pytest.mark.parametrize("rows", [3, 2_000_000])
def test_of_a_large_pool_only_what_is_used_is_encoded(rows: int) -> None:
    encodings = Encodings()
    encoder = PoolEncoder(Kind.TEXT, encodings.style)
    pool = [str(number) for number in range(100_000)]
    index = [99_999, -1, 5, 99_999, 100_000]
    expected = ["<99999>", None, "<5>", "<99999>", None]
    assert shown(encoder, index, pool, rows) == expected
    assert encodings.count == 2


def test_flags_and_directions_need_no_pool() -> None:
    style = Encodings().style
    flags = shown(PoolEncoder(Kind.FLAGS, style), [0, 0x12, 0x1FF], ())
    assert flags == ["<null>", "<SYN|ACK>", f"<{flags_text(0x1FF)}>"]
    assert shown(PoolEncoder(Kind.DIRECTION, style), [0, 1], ()) == ["<<->", "<->>"]


def test_objects_are_written_by_the_style_as_values() -> None:
    assert shown(PoolEncoder(Kind.OBJECT, Encodings().style), [0], [[1, 2]]) == ["[1, 2]!"]
