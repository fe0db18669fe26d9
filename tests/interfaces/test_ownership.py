"""Owners as the columns of a row, and as keys that mean the same in every run."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.owners import (
    EXACT,
    HOLDER,
    LISTENER,
    NOBODY_KNOWN,
    NOT_ASKED,
    SHARED,
    UNKNOWN,
    Context,
    Owner,
    OwnerColumns,
    Process,
)
from tcpsnoop.interfaces.ownership import (
    ATTRIBUTION,
    CONTEXT,
    PROCESS,
    UID,
    context_values,
    holders_of,
    owner_values,
    together,
)
from tcpsnoop.report import Values

FIRST = Process(10, 1, "nginx", "nginx: worker", uid=33)
SECOND = Process(9, 2, "nginx", "nginx: worker")


def entries(values: Values) -> list[object]:
    return [None if at < 0 else values.pool[at] for at in values.data.tolist()]


def test_each_row_has_its_owner() -> None:
    pool = [
        NOT_ASKED,
        Owner(HOLDER, FIRST),
        Owner(SHARED, holders=(FIRST, SECOND)),
        Owner(UNKNOWN, reason="gone"),
        Owner(HOLDER, Process(77, 1, "never used")),
    ]
    values = owner_values(OwnerColumns(np.array([3, 1, 0, 2, 1], np.int32), pool), 5)
    assert values["pid"].data.tolist() == [-1, 10, -1, -1, 10]
    assert values["uid"].data.tolist() == [-1, 33, -1, -1, 33]
    assert entries(values["command"]) == [None, "nginx", None, None, "nginx"]
    assert entries(values["attribution"]) == ["unknown", "holder", "unknown", "shared", "holder"]
    assert entries(values["reason"]) == ["gone", None, "not recorded", None, None]
    shared = [[9, "nginx"], [10, "nginx"]]
    assert entries(values["holders"]) == [None, None, None, shared, None]


def test_without_owners_all_are_unknown() -> None:
    values = owner_values(NOBODY_KNOWN, 2)
    assert set(values) == {column.name for column in (*PROCESS, UID, *ATTRIBUTION)}
    assert values["pid"].data.tolist() == [-1, -1]
    assert entries(values["attribution"]) == ["unknown", "unknown"]
    assert all(len(each.data) == 0 for each in owner_values(NOBODY_KNOWN, 0).values())


def test_the_context_of_a_process() -> None:
    container = "0a" * 32
    web = Process(
        10,
        1,
        "nginx",
        "nginx: worker",
        33,
        f"/system.slice/docker-{container}.scope",
        Context("www-data", "/usr/sbin/nginx", 1, "systemd", 4026531840),
    )
    pool = [NOT_ASKED, Owner(EXACT, web), Owner(SHARED, holders=(web, web)), Owner(EXACT, SECOND)]
    values = context_values(OwnerColumns(np.array([1, 0, 2, 3], np.int32), pool), 4)
    assert set(values) == {column.name for column in CONTEXT}
    numbers = {name: values[name].data.tolist() for name in ("parent_pid", "network_namespace")}
    assert numbers == {
        "parent_pid": [1, -1, -1, -1],
        "network_namespace": [4026531840, -1, -1, -1],
    }
    texts = {name: entries(each) for name, each in values.items() if name not in numbers}
    assert texts == {
        "command_line": ["nginx: worker", None, None, "nginx: worker"],
        "executable": ["/usr/sbin/nginx", None, None, None],
        "user": ["www-data", None, None, None],
        "parent_command": ["systemd", None, None, None],
        "unit": [f"docker-{container}.scope", None, None, None],
        "container": [container, None, None, None],
    }
    assert all(len(each.data) == 3 for each in context_values(NOBODY_KNOWN, 3).values())


def test_holders_are_told_of_shared_sockets_alone_by_pid() -> None:
    assert holders_of(Owner(HOLDER, FIRST, holders=(FIRST,))) is None
    assert holders_of(NOT_ASKED) is None
    assert holders_of(Owner(SHARED, holders=(FIRST, SECOND))) == [[9, "nginx"], [10, "nginx"]]


def test_a_row_is_known_as_well_as_the_weakest_of_its_answers() -> None:
    assert together([(EXACT, ""), (LISTENER, ""), (HOLDER, "")]) == ("listener", None)
    assert together([(EXACT, "")]) == ("exact", None)
    assert together([(EXACT, ""), ("of another method", "")]) == ("of another method", None)
    assert together([(UNKNOWN, "gone"), (UNKNOWN, ""), (UNKNOWN, "cut")]) == (
        "unknown",
        "cut, gone",
    )
