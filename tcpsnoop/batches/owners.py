"""Whose socket it is: owners, and the columns that point at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# How a process is known (SEMANTICS 12), best first; UNKNOWN comes with a reason.
EXACT = "exact"
HOLDER = "holder"
SHARED = "shared"
LISTENER = "listener"
CLOSED = "closed"
KERNEL = "kernel"
UNKNOWN = "unknown"
QUALITIES = (
    EXACT,
    HOLDER,
    SHARED,
    LISTENER,
    "inherited",
    CLOSED,
    KERNEL,
    "recorded",
    UNKNOWN,
)


class Context(NamedTuple):
    """What else is known of a process, read once; "" is unknown."""

    user: str = ""  # name of the real user, as the machine has it
    executable: str = ""  # path of the program
    parent_pid: int = -1  # whose child it was then; -1 unknown, 0 none
    parent_command: str = ""
    network_namespace: int = 0  # its inode, 0 unknown


NO_CONTEXT = Context()


@dataclass(frozen=True)
class Process:
    """A process; its identity is (pid, start_time), because numbers are used again."""

    pid: int
    start_time: int  # clock ticks after boot, field 22 of /proc/PID/stat
    command: str  # the kernel's short name
    command_line: str = ""  # the argument list, `[command]` when it could not be read
    uid: int = -1  # -1 unknown
    cgroup: str = ""  # path below the root of cgroups; "" unknown, or the root itself
    context: Context = NO_CONTEXT


@dataclass(frozen=True)
class Owner:
    """The answer to "whose socket is it?": one process, several holders, or a reason.

    `process` is None when the quality is `shared` (see `holders`) or `unknown`, and when the kernel
    itself has answered, without any socket (`kernel`).
    """

    quality: str
    process: Process | None = None
    holders: tuple[Process, ...] = ()
    reason: str = ""

    @property
    def processes(self) -> tuple[Process, ...]:
        """Every process that the answer names."""
        return self.holders or ((self.process,) if self.process else ())


# Code 0 of every pool: nobody was asked, as packets of a file come without processes.
NOT_ASKED = Owner(UNKNOWN, reason="not recorded")


@dataclass(frozen=True)
class OwnerColumns:
    """For each row the index of its owner in `pool`.

    `pool` only grows during a run, so an index is the same owner in every batch. `index` of shape
    (0,) means that nobody is known for any row.
    """

    index: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    pool: Sequence[Owner] = (NOT_ASKED,)

    def take(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> OwnerColumns:
        """The owners of the chosen rows."""
        return self if len(self.index) == 0 else OwnerColumns(self.index[index], self.pool)

    def indices(self, count: int) -> NDArray[np.int32]:
        """One index for each of `count` rows, also where nobody was asked."""
        return self.index if len(self.index) else np.zeros(count, np.int32)


NOBODY_KNOWN = OwnerColumns()
