"""Pools as the kernel takes them: every entry encoded once, all in one row of bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.segments import FLAG_NAMES, flags_text
from tcpsnoop.formatting.fields import Style
from tcpsnoop.formatting.words import Words, bytes_with_slack, words_of
from tcpsnoop.report import Kind

FLAG_BITS = (1 << len(FLAG_NAMES)) - 1
DIRECTIONS = ("<-", "->")

# A pool of no more entries is encoded whole, whether or not the rows use all of it; a larger one is
# when the table has a row for every entry, and the encoded pool is not too large to keep.
_SMALL = 1024
_LARGEST_KEPT = 1 << 16


@dataclass(frozen=True)
class EncodedPool:
    """Entries as bytes, one after the other; lengths in bytes and in characters, shape (n,)."""

    text: bytes
    lengths: NDArray[np.int64]
    characters: NDArray[np.int64]

    @property
    def longest(self) -> int:
        """Bytes of the longest entry."""
        return int(self.lengths.max(initial=0))


def encode(texts: Sequence[str]) -> EncodedPool:
    """A pool of texts that are safe already."""
    encoded = [text.encode() for text in texts]
    return EncodedPool(
        b"".join(encoded),
        np.array([len(text) for text in encoded], np.int64),
        np.array([len(text) for text in texts], np.int64),
    )


@dataclass(frozen=True)
class JoinedPools:
    """Several pools as one: entry i of pool p is entry `bases[p] + i`."""

    words: Words
    starts: NDArray[np.int64]  # (entries + 1,): where each begins, and the end of the last
    characters: NDArray[np.int64]  # (entries,)
    bases: tuple[int, ...]
    longest: int  # bytes of the longest entry of each, summed

    @classmethod
    def of(cls, pools: Sequence[EncodedPool]) -> JoinedPools:
        """The pools in this order."""
        none = [np.zeros(0, np.int64)]
        lengths = np.concatenate(none + [pool.lengths for pool in pools])
        starts = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=starts[1:])
        bases = np.cumsum([0, *(len(pool.lengths) for pool in pools)]).tolist()
        return cls(
            words_of(bytes_with_slack(b"".join(pool.text for pool in pools))),
            starts,
            np.concatenate(none + [pool.characters for pool in pools]),
            tuple(bases[:-1]),
            sum(pool.longest for pool in pools),
        )


class PoolEncoder:
    """Encodes the pools of one field's column, batch after batch.

    The last pool is kept encoded, so one that comes again is not encoded again. Of a large pool
    only those entries are encoded that the rows use.
    """

    def __init__(self, kind: Kind, style: Style) -> None:
        self._encode: Callable[[object], str] = style.value
        self._pool: Sequence[object] = ()
        self._length = 0
        self._encoded = encode(())
        if kind is not Kind.OBJECT:
            self._encode = lambda entry: style.text(str(entry))
        if kind is Kind.FLAGS:
            self._encoded = encode([style.text(flags_text(n)) for n in range(FLAG_BITS + 1)])
        if kind is Kind.DIRECTION:
            self._encoded = encode([style.text(text) for text in DIRECTIONS])
        self._fixed = kind in (Kind.FLAGS, Kind.DIRECTION)

    def encode(
        self, index: NDArray[np.int64], pool: Sequence[object], table_rows: int
    ) -> tuple[NDArray[np.int64], EncodedPool]:
        """The rows' entries as indices into an encoded pool, and that pool.

        `index` holds some of the `table_rows` rows that point into `pool`.
        """
        if self._fixed or (pool is self._pool and len(pool) == self._length):
            return index, self._encoded
        if len(pool) <= max(_SMALL, min(table_rows, _LARGEST_KEPT)):
            self._pool, self._length = pool, len(pool)
            self._encoded = encode([self._encode(entry) for entry in pool])
            return index, self._encoded
        used, place = np.unique(index, return_inverse=True)
        known = (used >= 0) & (used < len(pool))
        chosen = np.where(known, np.cumsum(known) - 1, -1)
        return chosen[place], encode([self._encode(pool[at]) for at in used[known].tolist()])
