"""What the kernel tells while it happens, as rows: the one form of both ways to read it.

Rows come in the order of time. Times are of the monotonic clock, nanoseconds; packets have the
system's, and whoever joins both knows the difference.
"""

from __future__ import annotations

import numpy as np

# EVENT["kind"]: about a socket ...
STATE = 1  # sock:inet_sock_set_state
SENT = 2  # sock:sock_send_length, as the call returns
RECEIVED = 3  # sock:sock_recv_length, likewise
DESTROYED = 4  # tcp:tcp_destroy_sock
# ... about a process ...
FORKED = 5
NAMED = 6  # by exec, or by itself
EXITED = 7
NAMESPACE = 8  # of the network, of a thread
SEEDED = 9  # it was there when tracing began
# ... about the record itself.
LOST = 10

# EVENT["flags"].
BELIEVED = 1  # in the context of the process named, not in an interrupt on its back
EXECUTED = 2  # NAMED: by exec
KERNEL_THREAD = 4  # SEEDED

EVENT = np.dtype(
    [
        ("time_ns", "i8"),
        ("socket", "i8"),  # kernel address; NAMESPACE, SEEDED: inode of the namespace, 0 unknown
        ("cookie", "i8"),  # DESTROYED; SEEDED: start time in ticks
        ("laddr_high", "i8"),  # NAMED, SEEDED: the 16 bytes of the name, here and in laddr_low
        ("laddr_low", "i8"),
        ("raddr_high", "i8"),
        ("raddr_low", "i8"),
        ("cgroup", "i8"),  # 0 unknown
        ("pid", "i4"),  # 0: of a PID namespace that we do not see; -1: no process
        ("tid", "i4"),
        ("length", "i4"),  # bytes, or below 0 an error; FORKED: PID of the parent; LOST: how many
        ("lport", "u2"),
        ("rport", "u2"),
        ("old", "u1"),  # STATE: states of include/net/tcp_states.h
        ("new", "u1"),
        ("kind", "u1"),
        ("flags", "u1"),
    ],
    align=True,
)
