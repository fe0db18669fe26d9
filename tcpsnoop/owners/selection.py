"""Which owners a user asks for: by number, name, user, cgroup, or the command that is followed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.cgroups import containers_of
from tcpsnoop.batches.owners import Owner, Process

# A container's id is written short.
_SHORTEST_ID = 12


@dataclass(frozen=True)
class Choice:
    """What is asked for; what is empty lets anything through. A process must have all of it."""

    pids: Collection[int] = ()
    commands: Collection[str] = ()
    uids: Collection[int] = ()
    cgroups: Collection[str] = ()
    # Whether it is the command that is followed, or was begun by it.
    descends: Callable[[Process], bool] | None = None

    def __bool__(self) -> bool:
        asked = self.pids or self.commands or self.uids or self.cgroups or self.descends
        return bool(asked)

    def has(self, process: Process) -> bool:
        """Whether a process is asked for."""
        return (
            (not self.pids or process.pid in self.pids)
            and (not self.commands or process.command in self.commands)
            and (not self.uids or process.uid in self.uids)
            and (not self.cgroups or any(in_cgroup(process.cgroup, each) for each in self.cgroups))
            and (self.descends is None or self.descends(process))
        )


def in_cgroup(path: str, name: str) -> bool:
    """Whether a path is that cgroup or below it.

    A cgroup is named by its path, by one part of it (a systemd unit, `sshd.service`), or by the
    container in it: the first 12 digits or more of its id, or lxc's name.
    """
    if name.startswith("/"):
        return f"{path}/".startswith(f"{name.rstrip('/')}/") and bool(path)
    if name in path.split("/"):
        return True
    return any(
        name == each or (len(name) >= _SHORTEST_ID and each.startswith(name))
        for each in containers_of(path)
    )


def matching(pool: Sequence[Owner], choice: Choice, start: int = 0) -> NDArray[np.bool_]:
    """For each owner of `pool` from `start` on, whether a process that it names is asked for.

    An owner of quality `shared` matches when one of its holders does; `unknown` matches nobody. A
    pool only grows: who asks again can keep the answer and ask for the rest with `start`.
    """
    codes = range(start, len(pool))
    return np.fromiter((any(map(choice.has, pool[code].processes)) for code in codes), np.bool_)
