"""The kernel keeps to its buffer: rows that do not fit are left for another, and nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tcpsnoop.report import Kind

GUARD = 0xAA
GUARDED = 64


class Kernel:
    """Rows of a number and a text, written into a buffer of a given size."""

    def __init__(self, formatting: ModuleType, entries: Sequence[str]) -> None:
        style = formatting.Style("-", "", str, str)
        number = formatting.Field("number", Kind.INTEGER, width=7, left=True)
        text = formatting.Field("text", Kind.TEXT, width=9)
        self.row = formatting.compiling.compile_row(["<", number, "|", text, ">\n"], style)
        self.pools = formatting.pools.JoinedPools.of([formatting.pools.encode(entries)])
        self.formatting = formatting

    def smallest(self) -> int:
        """Bytes a buffer must have for any row."""
        return int(2 * self.row.room + self.pools.longest)

    def write(self, matrix: np.ndarray, size: int, first: int) -> tuple[int, bytes]:
        """One call, in a buffer between guards: the first row not written, and the text."""
        memory = np.full(size + 2 * GUARDED, GUARD, np.uint8)
        out = memory[GUARDED : GUARDED + size]
        done, used = self.formatting.rows_kernel.write_rows(
            self.row.operations,
            self.row.literals,
            matrix,
            self.pools.words,
            self.pools.starts,
            self.pools.characters,
            out,
            self.formatting.words.words_of(out),
            self.row.room,
            np.array([-(2**63), 0, 0, 0], np.int64),
            first,
            matrix.shape[1],
        )
        assert (memory[:GUARDED] == GUARD).all()
        assert (memory[GUARDED + size :] == GUARD).all()
        assert used <= size
        return int(done), out[:used].tobytes()


ENTRIES = ("", "é", "twelve bytes", "x" * 500)

rows_of_values = st.lists(
    st.tuples(st.integers(-1, 2**63 - 1), st.integers(-1, len(ENTRIES) - 1)), max_size=20
)


@given(rows_of_values, st.integers(0, 600))
@example([(1, 3)] * 9, 0)
@example([(2**63 - 1, 2)] * 9, 1)
def test_rows_in_a_small_buffer_are_those_in_a_large_one(
    formatting: ModuleType, rows: list[tuple[int, int]], more: int
) -> None:
    kernel = Kernel(formatting, ENTRIES)
    matrix = np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, 2).T)
    expected = "".join(
        f"<{number if number >= 0 else '-':<7}|{ENTRIES[entry] if entry >= 0 else '-':>9}>\n"
        for number, entry in rows
    )
    text = b""
    done = 0
    while done < len(rows):
        begun = done
        done, piece = kernel.write(matrix, kernel.smallest() + more, done)
        assert done > begun, "no row was written into a buffer that any row fits"
        text += piece
    assert text.decode() == expected


def test_a_row_that_does_not_fit_is_not_begun(formatting: ModuleType) -> None:
    kernel = Kernel(formatting, ENTRIES)
    long = np.array([[1], [3]], np.int64)
    assert kernel.write(long, 2 * kernel.row.room, 0) == (0, b"")


def test_entries_beyond_the_pool_are_unknown(formatting: ModuleType) -> None:
    kernel = Kernel(formatting, ENTRIES)
    matrix = np.array([[1, 1, 1], [len(ENTRIES), 2**62, -(2**62)]], np.int64)
    assert kernel.write(matrix, 4096, 0) == (3, b"<1      |        ->\n" * 3)
