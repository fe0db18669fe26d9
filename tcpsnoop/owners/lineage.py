"""Who was begun by whom, as /proc shows it now."""

from __future__ import annotations

import os
import re

from tcpsnoop.batches.owners import Process

# A chain of parents is not longer; what is longer has changed while it was read.
_LONGEST = 1024
# /proc/PID/stat after the name in parentheses: the state, and the parent.
_PARENT = re.compile(rb".*\) \S (\d+) ", re.DOTALL)


def descends(root: str, process: Process, ancestor: int) -> bool:
    """Whether a process was begun by that one, or by one that it began; False when it is gone."""
    pid = process.pid
    for _ in range(_LONGEST):
        pid = _parent(root, pid)
        if pid in (0, ancestor):
            break
    return pid == ancestor


def _parent(root: str, pid: int) -> int:
    try:
        with open(os.path.join(root, str(pid), "stat"), "rb") as file:
            found = _PARENT.match(file.read())
    except OSError:
        return 0
    return int(found[1]) if found else 0
