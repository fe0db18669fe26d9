"""Which sockets one process holds, by what /proc shows of its descriptors (proc(5)).

The links in /proc/PID/fd name them. Of other users' processes these need CAP_SYS_PTRACE and
CAP_DAC_READ_SEARCH; /proc/PID/fdinfo needs the first alone, and since Linux 5.14 it tells the inode
of each file, and all along the mount that the file is in: that of sockets is one that we have, too.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Generator

from tcpsnoop.owners.processes import open_folder, read_file

# After so many descriptors the reader may stop for a while.
SLICE = 256

_SOCKET_LINK = "socket:["
_INFO_SIZE = 4096
_MOUNT = re.compile(rb"^mnt_id:\t(\d+)$", re.MULTILINE)
_INODE = re.compile(rb"^ino:\t(\d+)$", re.MULTILINE)

Reading = Generator[None, None, frozenset[int]]
"""Reading that can stop and go on; what it gives in the end are inodes."""


def socket_mount() -> int | None:
    """The mount that all sockets are in; None where fdinfo does not tell inodes."""
    try:
        with socket.socket(socket.AF_UNIX) as ours:
            text = read_file(None, f"/proc/self/fdinfo/{ours.fileno()}", _INFO_SIZE)
    except OSError:
        return None
    mount = _MOUNT.search(text)
    return int(mount[1]) if mount and _INODE.search(text) else None


def socket_inodes(folder: int, mount: int | None) -> Reading:
    """Inodes of the sockets that the process of an open folder holds; PermissionError if barred.

    `mount` is that of sockets, None to look at nothing but the links.
    """
    try:
        return (yield from _read(folder, "fd", _linked))
    except PermissionError:
        if mount is None:
            raise

    def told(descriptors: int, name: str) -> int | None:
        return _told(descriptors, name, mount)

    return (yield from _read(folder, "fdinfo", told))


def _read(folder: int, kind: str, inode_of: Callable[[int, str], int | None]) -> Reading:
    inodes = set()
    descriptors = open_folder(kind, beside=folder)
    try:
        for count, name in enumerate(os.listdir(descriptors), 1):
            try:
                inode = inode_of(descriptors, name)
            except PermissionError:
                raise
            except OSError:  # closed since it was listed
                continue
            if inode is not None:
                inodes.add(inode)
            if count % SLICE == 0:
                yield
    finally:
        os.close(descriptors)
    return frozenset(inodes)


def _linked(descriptors: int, name: str) -> int | None:
    """The inode of a socket that a link in fd leads to."""
    link = os.readlink(name, dir_fd=descriptors)
    return int(link[len(_SOCKET_LINK) : -1]) if link.startswith(_SOCKET_LINK) else None


def _told(descriptors: int, name: str, mount: int) -> int | None:
    """The inode of a socket that a file in fdinfo tells of."""
    text = read_file(descriptors, name, _INFO_SIZE)
    found, inode = _MOUNT.search(text), _INODE.search(text)
    return int(inode[1]) if found and inode and int(found[1]) == mount else None
