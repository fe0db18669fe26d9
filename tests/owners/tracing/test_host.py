"""This machine, as far as joining events needs it."""

from __future__ import annotations

import os
from pathlib import Path

from tcpsnoop.owners.tracing.host import here
from tests.owners.proc_tree import ProcTree, system_time_ns


def test_this_machine() -> None:
    host = here("/proc", system_time_ns)
    assert host.pids == int(Path("/proc/sys/kernel/pid_max").read_text()) + 1
    assert host.namespace == os.stat("/proc/self/ns/net").st_ino
    assert host.ticks_per_second == os.sysconf("SC_CLK_TCK")
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(system_time_ns() / 1e9 - uptime - host.boot_ns() / 1e9) < 1
    me = host.read_process(os.getpid(), 0)
    assert me is not None
    assert me.pid == os.getpid()


def test_cgroups_are_known_once_a_process_of_them_was_read(tmp_path: Path) -> None:
    proc = ProcTree(tmp_path)
    host = here(str(proc.root), system_time_ns)
    proc.process(42, "x")
    (proc.root / "42" / "cgroup").write_text("0::/nowhere/at/all\n")
    found = host.read_process(42, 0)
    assert found is not None
    assert found.cgroup == "/nowhere/at/all"
    assert host.read_process(43, 0) is None
    assert host.cgroup_path(42) == ""
