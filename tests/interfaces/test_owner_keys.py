"""Owners as numbers: the same in every run, told apart as they should be, and told of."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.owners import (
    EXACT,
    HOLDER,
    KERNEL,
    LISTENER,
    NOBODY_KNOWN,
    NOT_ASKED,
    SHARED,
    UNKNOWN,
    Owner,
    OwnerColumns,
    Process,
)
from tcpsnoop.interfaces.owner_keys import OwnerKeys
from tcpsnoop.report import Values

FIRST = Process(10, 1, "nginx", "nginx: worker", uid=33)
SECOND = Process(9, 2, "sshd", "")
AGAIN = Process(10, 3, "nginx", "nginx: worker")
GONE = Owner(UNKNOWN, reason="gone")


def columns(*owners: Owner) -> OwnerColumns:
    pool = list(dict.fromkeys([NOT_ASKED, *owners]))
    return OwnerColumns(np.array([pool.index(owner) for owner in owners], np.int32), pool)


def key(owner: Owner) -> int:
    return int(OwnerKeys().of(columns(owner), 1)[0][0])


def entries(values: Values) -> list[object]:
    return [None if at < 0 else values.pool[at] for at in values.data.tolist()]


def test_a_process_is_one_however_it_is_known_and_whatever_it_runs() -> None:
    process = key(Owner(HOLDER, FIRST))
    assert process > 0
    assert process == key(Owner(EXACT, FIRST)) == key(Owner(EXACT, Process(10, 1, "sh")))
    assert process != key(Owner(HOLDER, AGAIN)), "a PID that was used again"


def test_holders_are_one_in_any_order() -> None:
    shared = key(Owner(SHARED, holders=(FIRST, SECOND)))
    assert shared > 0
    assert shared == key(Owner(SHARED, holders=(SECOND, FIRST)))
    assert shared != key(Owner(SHARED, holders=(AGAIN, SECOND)))
    assert shared != key(Owner(SHARED, holders=(FIRST,)))


def test_who_is_unknown_is_told_apart_by_the_reason() -> None:
    unknown = {key(owner) for owner in (GONE, NOT_ASKED, Owner(KERNEL))}
    assert len(unknown) == 3
    assert all(number < 0 for number in unknown)


def test_each_row_has_the_number_of_its_owner() -> None:
    keys = OwnerKeys()
    owners = [GONE, Owner(HOLDER, FIRST), GONE, Owner(EXACT, FIRST)]
    numbers, evidence = keys.of(columns(*owners), 4)
    assert numbers.tolist() == [key(owner) for owner in owners]
    assert evidence[0] == evidence[2]
    assert len(set(evidence.tolist())) == 3


def test_where_nobody_was_asked_all_are_unknown() -> None:
    numbers, evidence = OwnerKeys().of(NOBODY_KNOWN, 2)
    assert numbers.tolist() == [key(NOT_ASKED)] * 2
    assert len(evidence) == 2
    assert [len(column) for column in OwnerKeys().of(NOBODY_KNOWN, 0)] == [0, 0]


def test_what_a_row_says_of_its_owner() -> None:
    keys = OwnerKeys()
    owners = [
        Owner(HOLDER, FIRST),
        Owner(LISTENER, SECOND, reason="before accept"),
        Owner(SHARED, holders=(FIRST, SECOND)),
        GONE,
        Owner(KERNEL),
    ]
    values = keys.values(*keys.of(columns(*owners), len(owners)))
    assert values["pid"].data.tolist() == [10, 9, -1, -1, -1]
    assert values["uid"].data.tolist() == [33, -1, -1, -1, -1]
    assert entries(values["command"]) == ["nginx", "sshd", None, None, None]
    assert entries(values["command_line"]) == ["nginx: worker", "[sshd]", None, None, None]
    assert entries(values["holders"]) == [None, None, [[9, "sshd"], [10, "nginx"]], None, None]
    shared = "sshd (9), nginx (10)"
    assert entries(values["who"]) == [None, None, shared, "(gone)", "(kernel)"]
    assert entries(values["attribution"]) == ["holder", "listener", "shared", "unknown", "kernel"]
    assert entries(values["reason"]) == [None, "before accept", None, "gone", None]


def test_nobody_has_the_number_0() -> None:
    keys = OwnerKeys()
    _, evidence = keys.of(columns(GONE), 1)
    values = keys.values(np.zeros(1, np.int64), evidence)
    assert values["pid"].data.tolist() == [-1]
    assert [entries(values[name]) for name in ("command", "who", "holders")] == [[None]] * 3
    assert entries(values["reason"]) == ["gone"]


def test_numbers_and_evidence_of_another_run_merge() -> None:
    here, there = OwnerKeys(), OwnerKeys()
    shell, server = Owner(HOLDER, Process(7, 1, "sh")), Owner(HOLDER, Process(7, 1, "server"))
    numbers, weak = here.of(columns(shell), 1)
    there.of(columns(GONE), 1)
    same, reason = there.of(columns(server), 1)
    assert same.tolist() == numbers.tolist()
    _, gone = there.of(columns(GONE), 1)
    translated = here.translated(reason | gone, there)
    here.merge(there)
    values = here.values(numbers, weak | translated)
    assert entries(values["command"]) == ["server"], "the newer name counts"
    assert entries(values["attribution"]) == ["unknown"]
    assert entries(values["reason"]) == ["gone"]
