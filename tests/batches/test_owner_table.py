"""Owners in columns: what was told as rows and what was given as objects are the same."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.batches.numbered import NONE
from tcpsnoop.batches.owner_table import ENTRY, OwnerTable
from tcpsnoop.batches.owners import (
    EXACT,
    HOLDER,
    NOT_ASKED,
    SHARED,
    UNKNOWN,
    Context,
    Owner,
    Process,
)

NGINX = Process(42, 10, "nginx", "nginx: worker", 33, "/web.slice")
CURL = Process(43, 11, "curl", "curl x")
OWNERS = (
    NOT_ASKED,
    Owner(HOLDER, NGINX),
    Owner(SHARED, holders=(NGINX, CURL)),
    Owner(UNKNOWN, reason="gone"),
)


def told(table: OwnerTable, **fields: int) -> int:
    row = np.zeros(1, ENTRY)
    row["pid"], row["start_time"], row["command"] = 7, 5, table.commands.number("sh")
    row["quality"] = table.qualities.number(EXACT)
    for name in ("uid", "command_line", "cgroup", "context", "reason"):
        row[name] = fields.get(name, NONE)
    return table.extend(row)


def test_given_owners_come_back_and_stand_in_columns() -> None:
    table = OwnerTable(OWNERS)
    assert list(table) == list(OWNERS)
    assert table[1:3] == list(OWNERS[1:3])
    assert table[-1] == OWNERS[-1]
    assert table.entries["pid"].tolist() == [-1, 42, -1, -1]
    assert table.entries["uid"].tolist() == [-1, 33, -1, -1]
    assert [table.qualities[n] for n in table.entries["quality"]] == [o.quality for o in OWNERS]
    assert table.entries["several"].tolist() == [False, False, True, False]
    with pytest.raises(IndexError):
        table[4]


def test_an_owner_is_made_of_its_row_once() -> None:
    table = OwnerTable()
    code = told(table, uid=33, cgroup=table.cgroups.number("/x"))
    assert table[code] == Owner(EXACT, Process(7, 5, "sh", "[sh]", 33, "/x"))
    assert table[code] is table[code]
    other = told(table, command_line=table.command_lines.number("sh -c true"))
    assert table[other] == Owner(EXACT, Process(7, 5, "sh", "sh -c true"))


def test_a_table_grows_and_codes_stay() -> None:
    table = OwnerTable()
    codes = [told(table, uid=number) for number in range(1000)]
    assert codes == list(range(1, 1001))
    assert len(table) == 1001
    assert table.entries["uid"][codes].tolist() == list(range(1000))
    assert table[0] is NOT_ASKED


def test_a_table_is_its_own_and_a_sequence_becomes_one() -> None:
    table = OwnerTable(OWNERS)
    assert OwnerTable.of(table) is table
    assert list(OwnerTable.of(OWNERS)) == list(OWNERS)


def test_the_context_of_a_process_comes_back() -> None:
    table = OwnerTable()
    context = Context("ada", "/bin/sh", 1, "init", 4026531840)
    code = table.append(Owner(EXACT, Process(7, 5, "sh", "sh", context=context)))
    assert table[told(table, context=int(table.entries["context"][code]))].process == Process(
        7, 5, "sh", "[sh]", context=context
    )
