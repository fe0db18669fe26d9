"""The threads and processes that were there when tracing began, from /proc, as events."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.owners.processes import namespace_of, open_folder, read_stat
from tcpsnoop.owners.tracing.events import EVENT, KERNEL_THREAD, SEEDED


def seeds(root: str, time_ns: int) -> NDArray[np.void]:
    """A row of EVENT for each thread of each process that can be read."""
    rows: list[NDArray[np.void]] = []
    for name in os.listdir(root):
        if name.isdigit():
            try:
                rows.append(_of_process(root, int(name), time_ns))
            except (OSError, ValueError):  # it has ended
                continue
    return np.concatenate(rows) if rows else np.empty(0, EVENT)


def name_words(command: str) -> tuple[int, int]:
    """The 16 bytes of a name as two numbers."""
    raw = command.encode("utf-8", "backslashreplace")[:16].ljust(16, b"\0")
    high, low = np.frombuffer(raw, ">i8").tolist()
    return high, low


def _of_process(root: str, pid: int, time_ns: int) -> NDArray[np.void]:
    folder = open_folder(f"{root}/{pid}")
    try:
        stat = read_stat(folder)
    finally:
        os.close(folder)
    threads = [int(name) for name in os.listdir(f"{root}/{pid}/task")]
    rows = np.zeros(len(threads), EVENT)
    rows["kind"], rows["time_ns"], rows["pid"], rows["tid"] = SEEDED, time_ns, pid, threads
    rows["laddr_high"], rows["laddr_low"] = name_words(stat.command)
    rows["cookie"] = stat.start_time
    rows["flags"] = KERNEL_THREAD if stat.kernel_thread else 0
    rows["socket"] = [namespace_of(f"{root}/{pid}/task/{thread}") for thread in threads]
    return rows
