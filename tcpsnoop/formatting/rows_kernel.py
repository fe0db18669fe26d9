"""The kernel that writes rows: it runs a row program over columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.formatting.cells import (
    write_clock,
    write_decimal,
    write_endpoint,
    write_seconds,
    write_time,
)
from tcpsnoop.formatting.operations import ADDRESS, CLOCK, DECIMAL, INTEGER, NOTHING, POOL, TIME
from tcpsnoop.formatting.words import BLANKS, Bytes, Words, copy, indent, write_number
from tcpsnoop.kernel import Integer, kernel


@kernel
def write_rows(  # noqa: C901, PLR0915 - one pass over operations, a branch for each kind
    operations: NDArray[np.void],
    literals: Words,
    matrix: NDArray[np.int64],
    pool: Words,
    starts: NDArray[np.int64],
    characters: NDArray[np.int64],
    out: Bytes,
    words: Words,
    room: Integer,
    last_second: Words,
    first_row: Integer,
    end_row: Integer,
) -> tuple[Integer, Integer]:
    """Write the rows from `first_row` up to `end_row`, or as many as `out` has room for.

    Shapes: operations (o,) of OPERATION; matrix (slots, rows); starts (entries + 1,) and characters
    (entries,) of the pool; words is words_of(out); last_second (4,) as write_time has it. `room` is
    what a row takes at most beside its pool entries, and SLACK. The first row not written and the
    bytes written are returned; no row is begun that does not fit.
    """
    limit = len(out) - room
    at = 0
    for row in range(first_row, end_row):
        begin = at
        if at > limit:
            return row, at
        index = 0
        while index < len(operations):
            operation = operations[index]
            index += 1
            first = operation["literal"]
            length = operation["literal_bytes"]
            for done in range(0, length, 8):
                words[at + done] = literals[first + done]
            at += length
            code = operation["code"]
            if code == NOTHING:
                continue
            cell, beyond = at, 0  # where it begins; bytes of the value beyond its characters
            value = matrix[operation["slot"], row]
            if code == INTEGER:
                known = value >= 0
                if known:
                    at = write_number(words, at, value)
            elif code == POOL:
                known = 0 <= value < len(characters)
                if known:
                    first = starts[value]
                    length = starts[value + 1] - first
                    if at + length > limit:
                        return row, begin
                    at = copy(words, at, pool, first, length)
                    beyond = length - characters[value]
            elif code == ADDRESS:
                known = matrix[operation["slot"] + 2, row] > 0
                if known:
                    low = matrix[operation["slot"] + 1, row]
                    brackets = operation["brackets"]
                    at = write_endpoint(out, words, at, value, low, brackets, operation["quote"])
            else:
                digits = matrix[operation["slot"] + 1, row]
                known = digits >= 0
                if known:
                    quote = operation["quote"]
                    at = _write_moment(code, out, words, at, value, digits, quote, last_second)
            if operation["otherwise"] > 0:
                if not known:
                    continue
                index += operation["otherwise"]
            if not known:
                first = operation["unknown"]
                at = copy(words, at, literals, first, operation["unknown_bytes"])
            missing = operation["width"] - (at - cell - beyond)
            if missing > 0 and operation["left"] == 0:
                at = indent(words, cell, at, missing)
            elif missing > 0:
                for done in range(0, missing, 8):
                    words[at + done] = BLANKS
                at += missing
    return end_row, at


@kernel
def _write_moment(
    code: Integer,
    out: Bytes,
    words: Words,
    at: Integer,
    value: Integer,
    digits: Integer,
    quote: Integer,
    last_second: Words,
) -> Integer:
    if code == TIME:
        return write_time(out, words, at, value, digits, quote, last_second)
    if code == CLOCK:
        return write_clock(out, words, at, value, digits)
    if code == DECIMAL:
        return write_decimal(words, at, value, digits)
    return write_seconds(out, words, at, value, digits)
