"""Times as text where no kernel is needed, and what a kernel needs to know of the time zone."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND


def rfc3339(time_ns: int, digits: int) -> str:
    """A time in UTC (RFC 3339) with so many decimals of a second, the rest cut off."""
    seconds, fraction = divmod(time_ns, _SECOND)
    text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
    digits = min(digits, 9)
    return f"{text}.{fraction:09}"[: 20 + digits] + "Z" if digits > 0 else text + "Z"


def local_day_ns(times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nanoseconds since local midnight, by the system's time zone (TZ), summer time included.

    The zone is asked once for each minute that occurs: clocks are changed at full minutes.
    """
    if len(times_ns) == 0:
        return times_ns
    minutes = times_ns // _MINUTE
    if minutes.min() == minutes.max():
        offset: NDArray[np.int64] | int = _offset_ns(int(minutes[0]))
    else:
        distinct, place = np.unique(minutes, return_inverse=True)
        offset = np.array([_offset_ns(minute) for minute in distinct.tolist()], np.int64)[place]
    # The day is taken off first: times near the ends of int64 would overflow.
    return (times_ns % _DAY + offset) % _DAY


def _offset_ns(minute: int) -> int:
    return time.localtime(minute * 60).tm_gmtoff * _SECOND
