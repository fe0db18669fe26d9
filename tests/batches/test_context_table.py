"""Contexts and cgroups by number, and as columns."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.context_table import CgroupTable, ContextTable
from tcpsnoop.batches.owners import NO_CONTEXT, Context

ADA = Context("ada", "/bin/sh", 1, "init", 4026531840)


def test_contexts_are_columns_of_texts_and_numbers() -> None:
    table = ContextTable()
    numbers = [table.number(each) for each in (ADA, NO_CONTEXT, ADA._replace(user="eve"), ADA)]
    assert numbers == [0, 1, 2, 0]
    assert [table[number] for number in numbers[:2]] == [ADA, NO_CONTEXT]
    rows = table.rows(np.array([2, -1, 0, 1]))
    texts = [None if at < 0 else table.texts[at] for at in rows["user"].tolist()]
    assert texts == ["eve", None, "ada", None]
    assert rows["parent_pid"].tolist() == [1, -1, 1, -1]
    assert rows["network_namespace"].tolist() == [4026531840, -1, 4026531840, -1]
    assert (rows["executable"][0], rows["executable"][1]) == (rows["executable"][2], -1)


def test_many_contexts() -> None:
    table = ContextTable()
    numbers = [table.number(ADA._replace(parent_pid=pid)) for pid in range(100)]
    assert table.rows(np.array(numbers))["parent_pid"].tolist() == list(range(100))


def test_a_cgroup_has_its_unit_and_container() -> None:
    table = CgroupTable()
    container = "0a" * 32
    paths = ("/system.slice/ssh.service", f"/docker/{container}", "/x", "")
    numbers = [table.number(path) for path in paths]
    assert [table[number] for number in numbers] == list(paths)
    rows = table.rows(np.array([*numbers, -1]))
    found = [
        [None if at < 0 else table.texts[at] for at in rows[name].tolist()]
        for name in ("unit", "container")
    ]
    assert found == [
        ["ssh.service", None, None, None, None],
        [None, container, None, None, None],
    ]
