"""What the events add up to: sockets and processes, each with its life, and who used which when.

A socket is known by its kernel address for as long as it lives, then the address is used again; so
each life is a record of its own with a number that never comes again. The same holds for a process
and its PID. Records stand in rings: the place of number n is n modulo the size, and places of the
living are skipped. A number whose place has another record is of one that was forgotten.

Times are the system's, nanoseconds, as packets have them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, inlined, kernel

NEVER = (1 << 63) - 1
ALWAYS = -(1 << 62)
NONE = -1

# SOCKET["role"].
CALLER = 0  # it connected
CALLED = 1  # a listener made it
UNTOLD = 2  # it was there before tracing began, or before events were lost
LISTENING = 3

SOCKET = np.dtype(
    [
        ("number", "i8"),  # NONE: the place is free
        ("address", "i8"),  # in the kernel
        ("cookie", "i8"),  # 0 unknown
        ("namespace", "i8"),  # inode of the network namespace, 0 unknown
        ("born_ns", "i8"),
        ("closed_ns", "i8"),  # when its ends became free for others
        ("laddr_high", "i8"),
        ("laddr_low", "i8"),
        ("raddr_high", "i8"),
        ("raddr_low", "i8"),
        ("end", "i8"),  # connection * 2 + end whose socket it is, NONE
        ("runs", "i8"),  # how often its user changed
        ("next_address", "i4"),  # chains of the hash tables, places; NONE at their end
        ("next_ends", "i4"),
        ("previous_ends", "i4"),
        ("bucket", "i4"),  # of its ends, NONE: not in a chain
        ("lport", "u2"),  # 0 unknown
        ("rport", "u2"),
        ("role", "u1"),
        ("lives", "u1"),  # its address in the kernel is its own
        ("users", "u1"),  # how many different ones, USERS + 1: more
    ],
    align=True,
)

PROCESS = np.dtype(
    [
        ("number", "i8"),
        ("parent", "i8"),  # number, NONE unknown
        ("start_ns", "i8"),  # ALWAYS: before tracing began
        ("exit_ns", "i8"),
        ("start_ticks", "i8"),  # field 22 of /proc/PID/stat, NONE unknown
        ("name_high", "i8"),  # 16 bytes
        ("name_low", "i8"),
        ("cgroup", "i8"),  # 0 unknown
        ("executed_ns", "i8"),  # latest exec since it was forked, ALWAYS none
        ("pid", "i4"),
        ("code", "i4"),  # as an owner, by its name of now; NONE: not named yet
        ("before", "i4"),  # by the name before, when it has not called exec since; NONE
        ("used", "u1"),  # a socket
        ("kernel", "u1"),  # it is the kernel's own
    ],
    align=True,
)

# A send call, as it returned.
WRITE = np.dtype([("time_ns", "i8"), ("socket", "i8"), ("process", "i8"), ("bytes", "i8")])

RUNS = 8  # changes of user that are remembered of a socket, the latest
USERS = 4  # users whose bytes are counted apart

# A user whom we cannot see: of another PID namespace.
STRANGER = -2

# PROCESS["code"] while it is being found.
TO_BE_NAMED = -2

# Places in `state`.
NEXT_SOCKET = 0
NEXT_PROCESS = 1
LOST_EVENTS = 2
LOST_NS = 3  # time of the latest loss
UNJOINED = 4  # calls on sockets whose birth is not known
FORGOTTEN = 5  # sockets alive that others took the place of
USED = 6  # rows of `used` written
WRITES = 7  # rows of `writes` written
CAPTURED_NS = 8  # every packet before that was seen
NAMESPACE_OWN = 9  # our own
TRANSLATES = 10  # events have threads and no processes
NEW_ENDS = 11  # rows of `new_ends` written
STATE_SIZE = 12


class Tables(NamedTuple):
    """Arrays that the kernels take whole; made by `make_tables`."""

    sockets: NDArray[np.void]  # SOCKET
    run_process: NDArray[np.int64]  # shape (sockets, RUNS): number, or STRANGER
    run_ns: NDArray[np.int64]  # since when it is the user
    run_until_ns: NDArray[np.int64]  # its latest call of that run
    run_sent: NDArray[np.bool_]  # it began with a send call
    user_process: NDArray[np.int64]  # shape (sockets, USERS)
    user_bytes: NDArray[np.int64]  # sent and received
    by_address: NDArray[np.int32]  # heads of chains of places
    by_ends: NDArray[np.int32]
    processes: NDArray[np.void]  # PROCESS
    by_pid: NDArray[np.int64]  # number of the process, NONE
    pid_of: NDArray[np.int32]  # of a thread, 0 unknown; used when state[TRANSLATES]
    namespace_of: NDArray[np.int64]  # of a thread, inode, 0 unknown
    used: NDArray[np.int64]  # numbers of processes that have used a socket for the first time
    writes: NDArray[np.void]  # WRITE
    state: NDArray[np.int64]


def make_tables(pids: int, sockets: int = 1 << 17, processes: int = 1 << 17) -> Tables:
    """Empty tables for PIDs below `pids`; memory is touched only as it is used."""
    empty = np.zeros(sockets, SOCKET)
    empty["number"] = empty["bucket"] = NONE
    nobody = np.zeros(processes, PROCESS)
    nobody["number"] = NONE
    tables = Tables(
        empty,
        np.zeros((sockets, RUNS), np.int64),
        np.zeros((sockets, RUNS), np.int64),
        np.zeros((sockets, RUNS), np.int64),
        np.zeros((sockets, RUNS), np.bool_),
        np.zeros((sockets, USERS), np.int64),
        np.zeros((sockets, USERS), np.int64),
        np.full(sockets, NONE, np.int32),
        np.full(sockets, NONE, np.int32),
        nobody,
        np.full(pids, NONE, np.int64),
        np.zeros(pids, np.int32),
        np.zeros(pids, np.int64),
        np.zeros(1 << 14, np.int64),
        np.zeros(1 << 14, WRITE),
        np.zeros(STATE_SIZE, np.int64),
    )
    tables.state[LOST_NS] = tables.state[CAPTURED_NS] = ALWAYS
    return tables


@inlined
def mixed(before: Integer, value: Integer) -> Integer:
    """32 bits that depend on 32 bits and on a number."""
    first = (before ^ (value & 0xFFFFFFFF)) * 0x5BD1E995
    first = (first ^ first >> 29) & 0xFFFFFFFF
    second = (first ^ ((value >> 32) & 0xFFFFFFFF)) * 0x5BD1E995
    return (second ^ second >> 29) & 0xFFFFFFFF


@inlined
def ends_bucket(
    laddr_high: Integer,
    laddr_low: Integer,
    lport: Integer,
    raddr_high: Integer,
    raddr_low: Integer,
    rport: Integer,
    buckets: Integer,
) -> Integer:
    """The chain of sockets with these ends."""
    value = mixed(lport << 16 | rport, laddr_low)
    value = mixed(value, raddr_low)
    value = mixed(value, laddr_high)
    return mixed(value, raddr_high) & (buckets - 1)


@kernel
def unlink_ends(tables: Tables, place: Integer) -> None:
    """Take a socket out of the chain of its ends."""
    sockets = tables.sockets
    one = sockets[place]
    if one["bucket"] == NONE:
        return
    before, after = np.int64(one["previous_ends"]), np.int64(one["next_ends"])
    if before == NONE:
        tables.by_ends[one["bucket"]] = after
    else:
        sockets[before]["next_ends"] = after
    if after != NONE:
        sockets[after]["previous_ends"] = before
    one["bucket"] = NONE


@kernel
def link_ends(tables: Tables, place: Integer) -> None:
    """Put a socket at the head of the chain of its ends."""
    unlink_ends(tables, place)
    sockets, heads = tables.sockets, tables.by_ends
    one = sockets[place]
    bucket = ends_bucket(
        np.int64(one["laddr_high"]),
        np.int64(one["laddr_low"]),
        np.int64(one["lport"]),
        np.int64(one["raddr_high"]),
        np.int64(one["raddr_low"]),
        np.int64(one["rport"]),
        heads.size,
    )
    head = np.int64(heads[bucket])
    one["next_ends"] = head
    one["previous_ends"] = NONE
    one["bucket"] = bucket
    if head != NONE:
        sockets[head]["previous_ends"] = place
    heads[bucket] = place


@kernel
def bury(tables: Tables, place: Integer) -> None:
    """The address of a socket in the kernel is no longer its own."""
    sockets, heads = tables.sockets, tables.by_address
    one = sockets[place]
    if one["lives"] == 0:
        return
    one["lives"] = 0
    bucket = mixed(0, np.int64(one["address"])) & (heads.size - 1)
    at = np.int64(heads[bucket])
    after = np.int64(one["next_address"])
    if at == place:
        heads[bucket] = after
        return
    while at != NONE:
        follows = np.int64(sockets[at]["next_address"])
        if follows == place:
            sockets[at]["next_address"] = after
            return
        at = follows


@kernel
def find_socket(tables: Tables, address: Integer) -> Integer:
    """The place of the living socket at an address in the kernel, NONE."""
    at = np.int64(tables.by_address[mixed(0, address) & (tables.by_address.size - 1)])
    while at != NONE:
        if tables.sockets[at]["address"] == address:
            return at
        at = np.int64(tables.sockets[at]["next_address"])
    return at


@kernel
def make_socket(tables: Tables, address: Integer, time_ns: Integer, role: Integer) -> Integer:
    """The place of a new socket without ends."""
    sockets, state = tables.sockets, tables.state
    size = sockets.size
    number = np.int64(state[NEXT_SOCKET])
    tries = 0
    while tries < size and sockets[number & (size - 1)]["lives"] != 0:
        number += 1
        tries += 1
    if tries == size:
        state[FORGOTTEN] += 1
    state[NEXT_SOCKET] = number + 1
    place = number & (size - 1)
    bury(tables, place)
    unlink_ends(tables, place)
    one = sockets[place]
    _reset_socket(one, number, address, time_ns, role)
    bucket = mixed(0, address) & (tables.by_address.size - 1)
    one["next_address"] = tables.by_address[bucket]
    tables.by_address[bucket] = place
    return place


@inlined
def _reset_socket(
    one: Row, number: Integer, address: Integer, time_ns: Integer, role: Integer
) -> None:
    one["number"] = number
    one["address"] = address
    one["cookie"] = 0
    one["namespace"] = 0
    one["born_ns"] = time_ns
    one["closed_ns"] = NEVER
    one["laddr_high"] = 0
    one["laddr_low"] = 0
    one["raddr_high"] = 0
    one["raddr_low"] = 0
    one["end"] = NONE
    one["runs"] = 0
    one["bucket"] = NONE
    one["lport"] = 0
    one["rport"] = 0
    one["role"] = role
    one["lives"] = 1
    one["users"] = 0


@kernel
def make_process(tables: Tables, pid: Integer, time_ns: Integer) -> Integer:
    """The place of a new process, which has the PID from now on."""
    processes, state = tables.processes, tables.state
    size = processes.size
    number = np.int64(state[NEXT_PROCESS])
    tries = 0
    while tries < size:
        there = processes[number & (size - 1)]
        if there["number"] == NONE or there["exit_ns"] != NEVER:
            break
        number += 1
        tries += 1
    state[NEXT_PROCESS] = number + 1
    place = number & (size - 1)
    one = processes[place]
    one["number"] = number
    one["parent"] = NONE
    one["start_ns"] = time_ns
    one["exit_ns"] = NEVER
    one["start_ticks"] = NONE
    one["name_high"] = 0
    one["name_low"] = 0
    one["cgroup"] = 0
    one["pid"] = pid
    one["code"] = NONE
    one["before"] = NONE
    one["executed_ns"] = ALWAYS
    one["used"] = 0
    one["kernel"] = 0
    tables.by_pid[pid] = number
    return place
