"""The operations of a row program: what the kernel does for each row, as an array.

An operation writes a literal, then a cell. A row program is an array of them, run over all rows.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.addresses import LONGEST_TEXT

# What the cell is. Its values stand in the matrix from row `slot` on, so many rows of it:
NOTHING = 0  # none: the literal alone
INTEGER = 1  # the number; negative: unknown
POOL = 2  # the index of the pool entry; negative: unknown
ADDRESS = 3  # high half, low half, 1 if known
TIME = 4  # nanoseconds since the epoch, digits; negative digits: unknown
CLOCK = 5  # nanoseconds since midnight, digits; negative digits: unknown
SECONDS = 6  # nanoseconds of either sign, digits; negative digits: unknown
DECIMAL = 7  # a number without its point, digits behind the point; negative digits: unknown

SLOTS = {NOTHING: 0, INTEGER: 1, POOL: 1, ADDRESS: 3, TIME: 2, CLOCK: 2, SECONDS: 2, DECIMAL: 2}

# Digits of a second beyond nine: as many as the value needs, one at least.
SHORTEST = 10

# The longest text of a cell, without its padding. Pool entries have no longest one.
LONGEST = {
    NOTHING: 0,
    INTEGER: 19,  # 2^63 - 1
    POOL: 0,
    ADDRESS: LONGEST_TEXT + 4,  # bracketed and quoted
    TIME: 32,  # 2026-11-21T21:44:13.123456789Z, quoted
    CLOCK: 18,
    SECONDS: 21,  # a sign, ten digits, a point, nine digits
    DECIMAL: 20,  # 2^63 - 1 and a point
}

OPERATION = np.dtype(
    [
        ("code", "i8"),
        ("slot", "i8"),  # first row of the matrix
        ("literal", "i8"),  # where the literal before the cell begins among the literals
        ("literal_bytes", "i8"),
        ("unknown", "i8"),  # likewise, what is written when the value is unknown
        ("unknown_bytes", "i8"),
        ("width", "i8"),  # in characters; wider values widen the cell
        ("left", "i8"),  # 1: the value stands at the left of the width
        ("brackets", "i8"),  # 1: an IPv6 address stands in brackets
        ("quote", "i8"),  # the byte around addresses and times, 0 for none
        ("otherwise", "i8"),  # so many operations that follow are there for an unknown value
    ],
    align=True,
)
