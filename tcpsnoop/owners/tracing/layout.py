"""Where the fields of a tracepoint's record are, as numbers that the decoding kernels take."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.owners.tracing.events import DESTROYED, EXITED, FORKED, NAMED, RECEIVED, SENT, STATE
from tcpsnoop.owners.tracing.formats import (
    DESTROY,
    EXEC,
    EXIT,
    FORK,
    RECEIVE,
    RENAME,
    SEND,
    SOCKET_STATE,
    Tracepoints,
    TracingUnavailableError,
)

# Columns of a layout; those of fields hold the offset in the record, -1 where there is none.
TYPE = 0  # number of the tracepoint
KIND = 1  # what it becomes, EVENT["kind"]
FLAGS = 2
THREAD = 3
SOCKET = 4
LOCAL_PORT = 5
REMOTE_PORT = 6
LOCAL_IPV4 = 7
REMOTE_IPV4 = 8
LOCAL = 9
REMOTE = 10
FAMILY = 11
PROTOCOL = 12
OLD = 13
NEW = 14
LENGTH = 15
COOKIE = 16
PID = 17
NAME = 18
CLONE_FLAGS = 19
MESSAGE_FLAGS = 20
END = 21  # a record has at least so many bytes
COLUMNS = 22

# Name of a field, the column of its offset, the bytes it has.
_FIELDS = (
    ("common_flags", FLAGS, 1),
    ("common_pid", THREAD, 4),
    ("skaddr", SOCKET, 8),
    ("sk", SOCKET, 8),
    ("sport", LOCAL_PORT, 2),
    ("dport", REMOTE_PORT, 2),
    ("saddr", LOCAL_IPV4, 4),
    ("daddr", REMOTE_IPV4, 4),
    ("saddr_v6", LOCAL, 16),
    ("daddr_v6", REMOTE, 16),
    ("family", FAMILY, 2),
    ("protocol", PROTOCOL, 2),
    ("oldstate", OLD, 4),
    ("newstate", NEW, 4),
    ("ret", LENGTH, 4),
    ("sock_cookie", COOKIE, 8),
    ("pid", PID, 4),
    ("comm", NAME, 16),
    ("newcomm", NAME, 16),
    ("clone_flags", CLONE_FLAGS, 8),
    ("flags", MESSAGE_FLAGS, 4),
)

_KINDS = {
    SOCKET_STATE: STATE,
    SEND: SENT,
    RECEIVE: RECEIVED,
    DESTROY: DESTROYED,
    FORK: FORKED,
    RENAME: NAMED,
    EXEC: NAMED,
    EXIT: EXITED,
}

Layout = NDArray[np.int64]  # shape (tracepoints, COLUMNS)


def layout_of(tracepoints: Tracepoints) -> Layout:
    """The layout of these tracepoints; TracingUnavailableError when a field has another size."""
    if sys.byteorder != "little":
        raise TracingUnavailableError("records of big-endian machines are not read yet")
    layout = np.full((len(_KINDS), COLUMNS), -1, np.int64)
    for row, (name, kind) in zip(layout, _KINDS.items(), strict=True):
        tracepoint = tracepoints[name]
        row[TYPE], row[KIND], row[END] = tracepoint.number, kind, 0
        for field, column, size in _FIELDS:
            if field not in tracepoint.fields:
                continue
            at, found = tracepoint.fields[field]
            if found != size or at < 0:
                raise TracingUnavailableError(f"field {field} of {name} has {found} bytes here")
            row[column] = at
            row[END] = max(row[END], at + size)
    return layout
