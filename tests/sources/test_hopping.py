"""What the kernels share: byte order, and when the capture clock starts anew."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.sources.hopping import (
    CLOCK,
    DAY,
    DESCRIPTION,
    FULL,
    LATEST,
    MORE,
    NO_TIME,
    REASONS,
    new_progress,
    reversed_bytes,
    starts_clock,
)


@given(st.integers(0, 2**32 - 1))
def test_a_word_of_the_other_order(word: int) -> None:
    (expected,) = struct.unpack(">I", struct.pack("<I", word))
    assert reversed_bytes(word) == expected


@pytest.mark.parametrize(
    ("clock", "time", "starts"),
    [
        (NO_TIME, 0, False),
        (NO_TIME, LATEST, False),
        (0, DAY, False),
        (0, DAY + 1, True),
        (DAY, 0, False),
        (DAY + 1, 0, True),
        (LATEST, -LATEST, True),
    ],
)
def test_the_clock_starts_anew_more_than_a_day_away(clock: int, time: int, starts: bool) -> None:
    assert starts_clock(clock, time) == starts


def test_the_difference_of_any_two_times_fits() -> None:
    assert LATEST - NO_TIME <= 2**63 - 1
    assert -LATEST - LATEST >= -(2**63)


def test_nothing_read_is_no_time() -> None:
    progress = new_progress()
    assert progress[CLOCK] == NO_TIME
    assert progress.sum() == NO_TIME


def test_every_damage_has_its_words() -> None:
    assert not {MORE, FULL, DESCRIPTION} & REASONS.keys()
    assert len(set(REASONS.values())) == len(REASONS)
