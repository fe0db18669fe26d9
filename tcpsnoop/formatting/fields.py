"""What stands in a row: fields of columns, and the style that a format writes them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tcpsnoop.formatting.operations import (
    ADDRESS,
    CLOCK,
    DECIMAL,
    INTEGER,
    POOL,
    SECONDS,
    TIME,
)
from tcpsnoop.report import Kind


class TimeForm(Enum):
    """How values of kind TIME are written."""

    UTC = "utc"  # RFC 3339, as many digits as the row has
    CLOCK = "clock"  # local time of day, as many digits as the row has
    RELATIVE = "relative"  # seconds since a start, six digits


_CODES = {
    Kind.INTEGER: INTEGER,
    Kind.ADDRESS: ADDRESS,
    Kind.SECONDS: SECONDS,
    Kind.FLAGS: POOL,
    Kind.DIRECTION: POOL,
    Kind.TEXT: POOL,
    Kind.OBJECT: POOL,
}
_TIME_CODES = {TimeForm.UTC: TIME, TimeForm.CLOCK: CLOCK, TimeForm.RELATIVE: SECONDS}


@dataclass(frozen=True)
class Field:
    """The values of one column, in a width as of printf: wider values widen it.

    `brackets` go around IPv6 addresses. `otherwise` is written in place of an unknown value. With
    a `unit` a number, not negative, is written in so many, with `decimals` (9 at most).
    """

    column: str
    kind: Kind
    width: int = 0
    left: bool = False
    brackets: bool = False
    otherwise: Field | None = None
    time_form: TimeForm = TimeForm.UTC
    unit: int = 1
    decimals: int = 0

    @property
    def code(self) -> int:
        """The operation that writes it."""
        if self.unit > 1:
            return DECIMAL
        return _TIME_CODES[self.time_form] if self.kind is Kind.TIME else _CODES[self.kind]


@dataclass(frozen=True)
class Style:
    """What a format does with values, whatever their column.

    `text` and `value` write entries of TEXT and OBJECT pools; what they return has no lone
    surrogates. `mark` stands around addresses and times, one ASCII character or none.
    """

    unknown: str
    mark: str
    text: Callable[[str], str]
    value: Callable[[object], str]
