"""Owners as columns: what an answer names, and how rows point at answers."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.owners import (
    HOLDER,
    NOBODY_KNOWN,
    NOT_ASKED,
    QUALITIES,
    SHARED,
    UNKNOWN,
    Owner,
    OwnerColumns,
    Process,
)

ONE, OTHER = Process(10, 1, "one"), Process(11, 2, "other")


def test_the_qualities_are_those_of_the_specification_best_first() -> None:
    assert QUALITIES == (
        "exact",
        "holder",
        "shared",
        "listener",
        "inherited",
        "closed",
        "kernel",
        "recorded",
        "unknown",
    )


def test_an_answer_names_one_process_or_all_holders_or_nobody() -> None:
    assert Owner(HOLDER, ONE).processes == (ONE,)
    assert Owner(SHARED, holders=(ONE, OTHER)).processes == (ONE, OTHER)
    assert Owner(UNKNOWN, reason="gone").processes == ()
    assert NOT_ASKED.processes == ()


def test_rows_are_chosen_with_their_owners() -> None:
    pool = [NOT_ASKED, Owner(HOLDER, ONE), Owner(HOLDER, OTHER)]
    columns = OwnerColumns(np.array([2, 0, 1], np.int32), pool)
    assert columns.take(np.array([True, False, True])).index.tolist() == [2, 1]
    assert columns.take(np.array([2, 2, 0])).index.tolist() == [1, 1, 2]
    assert columns.take(np.array([1])).pool is pool
    assert columns.indices(3).tolist() == [2, 0, 1]


def test_nobody_known_stays_so_for_any_number_of_rows() -> None:
    assert NOBODY_KNOWN.take(np.array([True, False])) is NOBODY_KNOWN
    assert NOBODY_KNOWN.indices(4).tolist() == [0, 0, 0, 0]
    assert NOBODY_KNOWN.pool[0] is NOT_ASKED
