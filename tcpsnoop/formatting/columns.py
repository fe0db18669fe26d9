"""Columns as the kernel takes them: rows of one int64 matrix, unknown as each operation has it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.formatting.fields import TimeForm
from tcpsnoop.formatting.operations import SHORTEST
from tcpsnoop.formatting.pools import FLAG_BITS
from tcpsnoop.formatting.times import local_day_ns
from tcpsnoop.report import Kind, Values

Matrix = NDArray[np.int64]

NANOSECOND_DIGITS = 9
RELATIVE_DIGITS = 6


def load_unknown(slots: Matrix) -> None:
    """A column nobody gave: -1 is unknown, or not known, to every operation."""
    slots[:] = -1


def load(slots: Matrix, kind: Kind, values: Values) -> None:
    """Fill `slots` (SLOTS of the operation, rows) for a kind other than TIME and the pools'."""
    if kind is Kind.ADDRESS:
        slots[:2] = np.transpose(values.data)
        slots[2] = 1 if values.known is None else values.known
        return
    slots[0] = values.data
    if kind is Kind.SECONDS:
        slots[1] = SHORTEST if values.digits is None else np.minimum(values.digits, 9)
        slots[1][slots[0] < 0] = -1
    forget(slots[-1], values)


def load_decimal(slots: Matrix, values: Values, unit: int, decimals: int) -> None:
    """Fill `slots` with numbers in a `unit`: without decimals cut off, else rounded half up."""
    numbers = values.data.astype(np.int64)
    whole, rest = np.divmod(numbers, unit)
    shift = 10**decimals
    # What is left of the unit times the shift fits: units are at most some 10^9.
    slots[0] = whole * shift + (rest * shift + (unit // 2 if decimals else 0)) // unit
    slots[1] = np.where(numbers < 0, -1, decimals)
    forget(slots[1], values)


def load_time(slots: Matrix, values: Values, form: TimeForm, start_ns: int) -> None:
    """Fill `slots` with times in one of their forms; `start_ns` is the zero of relative ones."""
    times: NDArray[Any] = values.data
    slots[0] = times
    slots[1] = NANOSECOND_DIGITS if values.digits is None else np.minimum(values.digits, 9)
    if form is TimeForm.CLOCK:
        slots[0] = local_day_ns(slots[0])
    if form is TimeForm.RELATIVE:
        since = slots[0] - start_ns
        # Times 292 years apart do not fit: the sign of the difference is then wrong.
        overflown = ((slots[0] ^ start_ns) & (slots[0] ^ since)) < 0
        slots[0] = since
        slots[1] = np.where(overflown, -1, RELATIVE_DIGITS)
    forget(slots[1], values)


def pool_index(kind: Kind, values: Values) -> NDArray[np.int64]:
    """The pool entry of every row, -1 where unknown."""
    index = values.data.astype(np.int64)
    if kind is Kind.FLAGS:
        index &= FLAG_BITS
    forget(index, values)
    return index


def forget(marks: NDArray[np.int64], values: Values) -> None:
    """Mark with -1 the rows that `values` does not know."""
    if values.known is not None:
        marks[~values.known] = -1
