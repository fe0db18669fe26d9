"""Times of intervals, and the local time of day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from tcpsnoop.formatting.times import local_day_ns, rfc3339

SECOND = 10**9
HOUR = 3600 * SECOND


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.fixture
def central_europe() -> Iterator[None]:
    """One hour before UTC; two from the last Sunday of March to that of October, at 01:00 UTC.

    Written as POSIX has it, so no time zone database is needed.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("time_ns", "digits", "text"),
    [
        (1_795_297_453_123_456_789, 6, "2026-11-21T21:44:13.123456Z"),
        (1_795_297_453_123_456_789, 9, "2026-11-21T21:44:13.123456789Z"),
        (1_795_297_453_123_456_789, 0, "2026-11-21T21:44:13Z"),
        (1_795_297_453_000_000_000, 3, "2026-11-21T21:44:13.000Z"),
        (1_795_297_453_123_456_789, 12, "2026-11-21T21:44:13.123456789Z"),
        (-1, 9, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_rfc3339(time_ns: int, digits: int, text: str) -> None:
    assert rfc3339(time_ns, digits) == text


@pytest.mark.usefixtures("central_europe")
def test_summer_time_begins_and_ends_within_a_batch() -> None:
    times = np.array(
        [
            ns("2026-03-29T00:59:59") + 1,  # 01:59:59 CET
            ns("2026-03-29T01:00:00"),  # 03:00:00 CEST
            ns("2026-10-25T00:59:59"),  # 02:59:59 CEST
            ns("2026-10-25T01:00:00"),  # 02:00:00 CET, for the second time
            ns("2026-11-21T23:30:00"),  # 00:30:00 CET, the next day
        ]
    )
    local = [2 * HOUR - SECOND + 1, 3 * HOUR, 3 * HOUR - SECOND, 2 * HOUR, HOUR // 2]
    assert local_day_ns(times).tolist() == local


@pytest.mark.usefixtures("central_europe")
def test_times_of_one_minute() -> None:
    times = ns("2026-11-21T21:44:00") + np.array([0, 59 * SECOND + 999])
    begin = 22 * HOUR + 44 * 60 * SECOND
    assert local_day_ns(times).tolist() == [begin, begin + 59 * SECOND + 999]


def test_the_ends_of_what_a_time_can_be() -> None:
    ends = [-(2**63), 2**63 - 1]  # the tests run in UTC
    assert local_day_ns(np.array(ends)).tolist() == [end % (24 * HOUR) for end in ends]


def test_no_times() -> None:
    assert local_day_ns(np.zeros(0, np.int64)).tolist() == []
