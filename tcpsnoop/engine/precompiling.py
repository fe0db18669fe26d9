"""The first run on a machine: a second process compiles tracking while this one compiles the rest.

Numba compiles one function at a time in a process, and the kernel `track` is about half of all. The
second process leaves it in the cache, where this one finds it. It knows nothing of the run: it
starts nothing, reads nothing and ends by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np

from tcpsnoop.batches.segments import SEGMENT
from tcpsnoop.kernel import is_interpreted
from tcpsnoop.kernel_cache import cache_folder
from tcpsnoop.provider import tracker
from tcpsnoop.provider.sides import Window

# What makes a Tracker call each of its kernels.
_PROBES = ("accept-established", "closed", "connect-timeout")

_children: list[subprocess.Popen[bytes]] = []


def tell_of_compiling(note: Callable[[str], None]) -> None:
    """Why it takes so long: right before the first kernel is compiled."""
    if cache_folder() is None:
        note(
            "compiling, at every start, as there is no folder to keep the result in: "
            "TCPSNOOP_CACHE may name one that is yours"
        )
    else:
        note("compiling for the first run on this machine, some 20 seconds")


def begin_precompiling() -> bool:
    """Start the second process, if nothing was compiled yet and there is a core for it.

    Whether it was: then there is time to compile everything else.
    """
    if is_interpreted() or not sys.executable or len(os.sched_getaffinity(0)) < 2:
        return False
    folder = cache_folder()
    if folder is None or any(folder.iterdir()):
        return False
    command = [sys.executable, "-m", "tcpsnoop.engine.precompiling"]
    # Ctrl-C is for the run alone, and what goes wrong there only costs time here.
    nowhere = subprocess.DEVNULL
    try:
        child = subprocess.Popen(
            command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
    except OSError:
        return False
    _children.append(child)
    return True


def await_precompiling() -> None:
    """Before a Tracker is fed: wait for what the second process compiles, if there is one."""
    while _children:
        child = _children.pop()
        _tracker().end_none()  # what else a Tracker needs, and the second process leaves out
        child.wait()


def compile_tracking() -> None:
    """Call the kernel `track`."""
    for _ in _tracker().feed(np.zeros(1, SEGMENT), 0.0):
        pass


def _tracker() -> tracker.Tracker:
    return tracker.Tracker(
        _PROBES, np.zeros(1 << 16, np.bool_), Window(decided=True, waits=False), 1
    )


if __name__ == "__main__":
    compile_tracking()
