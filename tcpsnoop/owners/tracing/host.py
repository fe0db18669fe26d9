"""The machine that events are from, as far as joining them needs it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.cgroup_numbers import CgroupNumbers
from tcpsnoop.owners.processes import EVERYTHING, Wanted, namespace_of, process_at

_PID_MAX = "/proc/sys/kernel/pid_max"


@dataclass(frozen=True)
class Host:
    """A machine, seen from one network namespace of it."""

    pids: int  # PIDs are below that
    namespace: int  # inode of the network namespace, 0 unknown
    # The process that has a PID, None when there is none to be read. The other number is the
    # system's time of its latest exec: what was read before that is of no use.
    read_process: Callable[[int, int], Process | None]
    cgroup_path: Callable[[int], str]  # of a cgroup's number, "" unknown
    boot_ns: Callable[[], int]  # the system's time at which it started
    ticks_per_second: int = os.sysconf("SC_CLK_TCK")  # unit of a process's start time


class Witness(Protocol):
    """Whoever is told what is learned of this machine."""

    def begin(self) -> Callable[[NDArray[np.void]], None]:
        """Another way to read the kernel's record is tried: what is to be called with events."""

    def process(self, process: Process) -> None:
        """A process was read."""

    def cgroup(self, number: int, path: str) -> None:
        """The number of a cgroup is known."""


def here(
    root: str,
    now_ns: Callable[[], int],
    wanted: Wanted = EVERYTHING,
    witness: Witness | None = None,
) -> Host:
    """This machine, whose /proc is `root` and whose system's clock is `now_ns`.

    Of processes it tells what is `wanted`.
    """
    with open(_PID_MAX) as file:
        pids = int(file.read()) + 1
    cgroups = CgroupNumbers()

    def read_process(pid: int, _executed_ns: int) -> Process | None:
        process = process_at(root, pid, wanted)
        if process is not None:
            number = cgroups.learn(process.cgroup)
            if witness is not None:
                if number is not None:
                    witness.cgroup(number, process.cgroup)
                witness.process(process)
        return process

    return Host(
        pids,
        namespace_of(f"{root}/self"),
        read_process,
        cgroups.path,
        lambda: now_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    )
