"""Numbers of cgroups, by which the kernel tells whose a call was, and their paths.

In version 2 the number is the inode of its folder (perf_event_open(2): PERF_SAMPLE_CGROUP).
Paths are learned from processes that were read: another of the same cgroup may have ended before.
"""

from __future__ import annotations

import os

# Where version 2 is mounted, alone or beside version 1.
MOUNTED = "/sys/fs/cgroup"
BESIDE_VERSION_1 = "unified"
# As many as are remembered; then no more are learned.
CAPACITY = 1 << 16


class CgroupNumbers:
    """Paths by number; `mounted` is where cgroups are."""

    def __init__(self, mounted: str = MOUNTED) -> None:
        beside = os.path.join(mounted, BESIDE_VERSION_1)
        self._mounted = beside if os.path.isdir(beside) else mounted
        self._paths: dict[int, str] = {}
        self._asked: set[str] = set()

    def learn(self, path: str) -> int | None:
        """There is a cgroup of this path, below the root; its number, if it is new."""
        if not path or path in self._asked or len(self._asked) >= CAPACITY:
            return None
        self._asked.add(path)
        try:
            number = os.stat(self._mounted + path).st_ino
        except (OSError, ValueError):  # of version 1, of another namespace, or gone
            return None
        self._paths[number] = path
        return number

    def path(self, number: int) -> str:
        """The path of a cgroup, "" when it is not known."""
        return self._paths.get(number, "")
