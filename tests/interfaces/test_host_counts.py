"""Counts by host and port, with processes: what accept and connect have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tcpsnoop.batches.owners import EXACT, LISTENER, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.interfaces.host_counts import HostCounts
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.connect import Connect
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

SSHD = Owner(EXACT, Process(100, 1, "sshd"))
CRON = Owner(EXACT, Process(99, 1, "cron"))
GONE = Owner(UNKNOWN, reason="gone")
BOTH = Owner(SHARED, holders=(Process(100, 1, "sshd"), Process(99, 1, "cron")))

KINDS = [(Accept, "accept-established", "lport"), (Connect, "connect-established", "rport")]


def counted(
    kind: type[HostCounts], probe: str, *who: tuple[str, int, Owner], **options: Any
) -> HostCounts:
    """What has seen connections with these hosts, by these processes, at these ports."""
    reporter = kind(**options)
    ends = [
        (f"10.0.0.1 {port}", f"{host} 9") if kind is Accept else ("10.0.0.1 9", f"{host} {port}")
        for host, port, _ in who
    ]
    rows = [row(probe, *each) for each in ends]
    reporter.observe(batch_of(rows, [owner for *_, owner in who]))
    return reporter


@pytest.mark.parametrize(("kind", "probe", "port"), KINDS)
def test_each_process_is_a_row_of_its_own(kind: Any, probe: str, port: str) -> None:
    who = [("10.9.9.9", 22, SSHD), ("10.9.9.9", 22, CRON), ("10.9.9.9", 22, SSHD)]
    report = counted(kind, probe, *who, by_process=True).report()
    assert dictionaries(report.table) == [
        {
            "pid": pid,
            "command": command,
            "raddr": "10.9.9.9",
            "hostname": None,
            port: 22,
            "service": None,
            "count": count,
            "attribution": "exact",
            "reason": None,
            "holders": None,
        }
        for pid, command, count in ((99, "cron", 1), (100, "sshd", 2))
    ]
    assert text(report) == (
        f"   PID    COMM             {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"
        f"   99     cron             {'10.9.9.9':<26} {'22':<8} {1:>8}\n"
        f"   100    sshd             {'10.9.9.9':<26} {'22':<8} {2:>8}\n"
    )


@pytest.mark.parametrize(("kind", "probe", "port"), KINDS)
def test_who_is_not_known_is_a_row_with_the_reason(kind: Any, probe: str, port: str) -> None:
    late = Owner(UNKNOWN, reason="not in time")
    who = [("10.9.9.9", 22, each) for each in (GONE, BOTH, late, late, BOTH, late, BOTH, BOTH)]
    report = counted(kind, probe, *who, by_process=True).report()
    found = [
        (each["pid"], each["attribution"], each["reason"], each["holders"], each["count"])
        for each in dictionaries(report.table)
    ]
    assert found == [
        (None, "unknown", "gone", None, 1),
        (None, "unknown", "not in time", None, 3),
        (None, "shared", None, [[99, "cron"], [100, "sshd"]], 4),
    ]
    names = [line[10:].split("10.9.9.9")[0].strip() for line in text(report).splitlines()[1:]]
    assert names == ["(gone)", "(not in time)", "cron (99), sshd (100)"]


@pytest.mark.parametrize(("kind", "probe", "port"), KINDS)
def test_the_processes_of_a_host_and_port_add_up(kind: Any, probe: str, port: str) -> None:
    random = np.random.default_rng(1)
    who = [
        (f"10.9.9.{host}", int(number), (SSHD, CRON, GONE, BOTH)[owner])
        for host, number, owner in random.integers(0, (3, 2, 4), (200, 3)).tolist()
    ]
    sums: dict[tuple[str, int], int] = {}
    for each in dictionaries(counted(kind, probe, *who, by_process=True).report().table):
        end = each["raddr"], each[port]
        sums[end] = sums.get(end, 0) + each["count"]
    whole = dictionaries(counted(kind, probe, *who).report().table)
    assert sums == {(each["raddr"], each[port]): each["count"] for each in whole}
    assert sum(sums.values()) == 200
    assert "pid" not in whole[0]


def test_without_processes_the_schema_names_none() -> None:
    """So nobody is looked up for it."""
    for kind, *_ in KINDS:
        assert "pid" not in {column.name for column in kind().schema.columns}
        assert "pid" in {column.name for column in kind(by_process=True).schema.columns}


def test_what_is_known_of_a_process_survives_merging() -> None:
    listener = Owner(LISTENER, Process(100, 1, "sshd"), reason="before accept")
    first = counted(*KINDS[0][:2], ("10.9.9.9", 22, SSHD), by_process=True)
    second = counted(*KINDS[0][:2], ("10.9.9.9", 22, listener), by_process=True)
    first.merge(second)
    (found,) = dictionaries(first.report().table)
    assert (found["count"], found["pid"], found["attribution"]) == (2, 100, "listener")
    assert found["reason"] == "before accept"


def test_beyond_the_cap_the_rest_is_nobodys() -> None:
    who = [(f"10.9.9.{host}", 22, SSHD) for host in range(4)]
    reporter = counted(*KINDS[0][:2], *who, by_process=True, max_keys=2)
    *_, other = dictionaries(reporter.report().table)
    assert (other["hostname"], other["count"], other["pid"]) == ("(other)", 2, None)
    assert (other["raddr"], other["attribution"]) == (None, "exact")
