"""The columns of every row that names a process: who, how that is known, and if not, why not.

A schema that has PROCESS ends with ATTRIBUTION; one with room for it has CONTEXT before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.cgroups import container_of, unit_of
from tcpsnoop.batches.owners import QUALITIES, SHARED, Owner, OwnerColumns, Process
from tcpsnoop.report import Column, Kind, Values, object_values

Evidence = tuple[str, str]  # quality and reason of an answer

PROCESS = (
    Column("pid", Kind.INTEGER, "process, when it is known"),
    Column("command", Kind.TEXT, "the kernel's short name of the process"),
)
UID = Column("uid", Kind.INTEGER, "user of the process")
CONTEXT = (
    Column("command_line", Kind.TEXT, "its arguments, [command] when they could not be read"),
    Column("executable", Kind.TEXT, "path of its program"),
    Column("user", Kind.TEXT, "name of its user"),
    Column("parent_pid", Kind.INTEGER, "process whose child it was when it was first read"),
    Column("parent_command", Kind.TEXT, "short name of that one"),
    Column("unit", Kind.TEXT, "systemd unit that its cgroup belongs to"),
    Column("container", Kind.TEXT, "id, or lxc's name, of its container, by its cgroup"),
    Column("network_namespace", Kind.INTEGER, "inode of its network namespace"),
)
ATTRIBUTION = (
    Column("attribution", Kind.TEXT, "how the process is known, or unknown"),
    Column("reason", Kind.TEXT, "why it is not known, or not better"),
    Column("holders", Kind.OBJECT, "with attribution shared: [pid, command] of each"),
)

_NOBODY = Process(-1, 0, "")


def owner_values(owners: OwnerColumns, rows: int) -> dict[str, Values]:
    """The values of PROCESS, UID and ATTRIBUTION for the rows of a batch."""
    answers, place = _answers(owners, rows)
    processes = [answer.process for answer in answers]
    pids = np.array([process.pid if process else -1 for process in processes], np.int64)
    uids = np.array([process.uid if process else -1 for process in processes], np.int64)
    pools: dict[str, list[object]] = {
        "command": [process.command if process else None for process in processes],
        "attribution": [answer.quality for answer in answers],
        "reason": [answer.reason or None for answer in answers],
        "holders": [holders_of(answer) for answer in answers],
    }
    values = {name: object_values(pool).take(place) for name, pool in pools.items()}
    return values | {"pid": Values(pids[place]), "uid": Values(uids[place])}


def context_values(owners: OwnerColumns, rows: int) -> dict[str, Values]:
    """The values of CONTEXT for the rows of a batch."""
    answers, place = _answers(owners, rows)
    processes = [answer.process or _NOBODY for answer in answers]
    contexts = [process.context for process in processes]
    parents = np.array([context.parent_pid for context in contexts], np.int64)
    namespaces = np.array([context.network_namespace or -1 for context in contexts], np.int64)
    pools: dict[str, list[object]] = {
        "command_line": [process.command_line or None for process in processes],
        "executable": [context.executable or None for context in contexts],
        "user": [context.user or None for context in contexts],
        "parent_command": [context.parent_command or None for context in contexts],
        "unit": [unit_of(process.cgroup) or None for process in processes],
        "container": [container_of(process.cgroup) or None for process in processes],
    }
    values = {name: object_values(pool).take(place) for name, pool in pools.items()}
    numbers = {"parent_pid": parents, "network_namespace": namespaces}
    return values | {name: Values(data[place]) for name, data in numbers.items()}


def _answers(owners: OwnerColumns, rows: int) -> tuple[list[Owner], NDArray[np.int64]]:
    """The answers that a batch has, and which of them each row has."""
    if len(owners.index) == 0:
        used, place = np.zeros(1, np.int32), np.zeros(rows, np.int64)
    else:
        used, place = np.unique(owners.index, return_inverse=True)
    return [owners.pool[code] for code in used.tolist()], place


def holders_of(owner: Owner) -> list[list[object]] | None:
    """What the column `holders` says of an owner."""
    if owner.quality != SHARED:
        return None
    return [[process.pid, process.command] for process in _by_pid(owner.holders)]


def identity_of(owner: Owner) -> tuple[int, int]:
    """Two int64 that are the same for the same process, or for the same holders, in any run.

    (0, 0) when nobody is known. A process is its number and start time.
    """
    if owner.process is not None:
        return owner.process.pid, owner.process.start_time
    if not owner.holders:
        return 0, 0
    names = [(process.pid, process.start_time) for process in _by_pid(owner.holders)]
    digest = blake2b(repr(names).encode(), digest_size=16).digest()
    high, low = np.frombuffer(digest, np.int64).tolist()
    return high, low


def together(answers: Iterable[Evidence]) -> tuple[str, str | None]:
    """Attribution and reason of a row that rests on all of these: the weakest, every reason."""
    qualities, reasons = zip(*answers, strict=True)
    return max(qualities, key=_rank), ", ".join(sorted(set(reasons) - {""})) or None


def _rank(quality: str) -> tuple[int, str]:
    return QUALITIES.index(quality) if quality in QUALITIES else len(QUALITIES), quality


def _by_pid(processes: Sequence[Process]) -> list[Process]:
    return sorted(processes, key=lambda process: (process.pid, process.start_time))
