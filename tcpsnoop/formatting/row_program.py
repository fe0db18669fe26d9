"""Row programs: literals and fields of columns, written for every row of a table by one kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.formatting.columns import load, load_decimal, load_time, load_unknown, pool_index
from tcpsnoop.formatting.compiling import Load, compile_row
from tcpsnoop.formatting.fields import Field, Style
from tcpsnoop.formatting.operations import DECIMAL, POOL
from tcpsnoop.formatting.pools import EncodedPool, JoinedPools, PoolEncoder
from tcpsnoop.formatting.rows_kernel import write_rows
from tcpsnoop.formatting.words import Bytes, words_of
from tcpsnoop.report import Kind, Values

# Rows loaded at once: so many that a call costs nothing a row, so few that they stay in the cache.
PIECE_ROWS = 4096
# Bytes written at once: some thousand lines.
PIECE_BYTES = 1 << 20

_NO_SECOND = np.iinfo(np.int64).min


class RowProgram:
    """The text of a row: literals (safe already) and fields, in a style.

    A column that a table lacks is unknown in every row. Buffers are used again from call to call,
    so a program is for one thread, and one `write` must be read to its end before the next.
    """

    def __init__(self, parts: Sequence[str | Field], style: Style) -> None:
        self._row = compile_row(parts, style)
        self._encoders = {
            item.slot: PoolEncoder(item.field.kind, style)
            for item in self._row.loads
            if item.field.code == POOL
        }
        self._pools: list[EncodedPool] = []
        self._joined = JoinedPools.of([])
        self._matrix = np.zeros((self._row.slots, PIECE_ROWS), np.int64)
        self._last_second = np.array([_NO_SECOND, 0, 0, 0], np.int64)
        self._out: Bytes = np.zeros(PIECE_BYTES, np.uint8)
        self._words = words_of(self._out)

    def write(self, values: Mapping[str, Values], count: int, start_ns: int = 0) -> Iterator[bytes]:
        """The text of `count` rows, in pieces; `start_ns` is the zero of relative times."""
        for first in range(0, count, PIECE_ROWS):
            rows = min(PIECE_ROWS, count - first)
            self._load(values, slice(first, first + rows), count, start_ns)
            # A row that does not fit is begun again in an empty buffer, where it must fit.
            self._reserve(2 * self._row.room + self._joined.longest)
            done = 0
            while done < rows:
                done, used = self._write_piece(done, rows)
                yield self._out[:used].tobytes()

    def _load(self, values: Mapping[str, Values], piece: slice, count: int, start_ns: int) -> None:
        """Fill the matrix and the pools with the rows of `piece`."""
        rows = piece.stop - piece.start
        pools: list[EncodedPool] = []
        indices: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        for item in self._row.loads:
            slots = self._matrix[item.slot : item.end, :rows]
            given = values.get(item.field.column)
            if given is None:
                load_unknown(slots)
            elif item.field.code == POOL:
                index, pool = self._encode(item, given, piece, count)
                indices.append((slots[0], index))
                pools.append(pool)
            elif item.field.code == DECIMAL:
                field = item.field
                load_decimal(slots, given.take(piece), field.unit, field.decimals)
            elif item.field.kind is Kind.TIME:
                load_time(slots, given.take(piece), item.field.time_form, start_ns)
            else:
                load(slots, item.field.kind, given.take(piece))
        if len(pools) != len(self._pools) or any(
            new is not old for new, old in zip(pools, self._pools, strict=True)
        ):
            self._pools = pools
            self._joined = JoinedPools.of(pools)
        for (slot, index), base in zip(indices, self._joined.bases, strict=True):
            np.add(index, base, out=slot)
            if index.min(initial=0) < 0:
                # Below 0 is unknown for the kernel: the base may not lift it.
                slot[index < 0] = -1

    def _encode(
        self, item: Load, given: Values, piece: slice, count: int
    ) -> tuple[NDArray[np.int64], EncodedPool]:
        index = pool_index(item.field.kind, given.take(piece))
        index, pool = self._encoders[item.slot].encode(index, given.pool, count)
        if index.max(initial=-1) >= len(pool.lengths):
            # An index beyond its own pool would be an entry of the next.
            index[index >= len(pool.lengths)] = -1
        return index, pool

    def _reserve(self, size: int) -> None:
        if size > len(self._out):
            self._out = np.zeros(size, np.uint8)
            self._words = words_of(self._out)

    def _write_piece(self, first: int, end: int) -> tuple[int, int]:
        done, used = write_rows(
            self._row.operations,
            self._row.literals,
            self._matrix,
            self._joined.words,
            self._joined.starts,
            self._joined.characters,
            self._out,
            self._words,
            self._row.room,
            self._last_second,
            first,
            end,
        )
        assert done > first, "a row did not fit the buffer sized for it"
        return int(done), int(used)
