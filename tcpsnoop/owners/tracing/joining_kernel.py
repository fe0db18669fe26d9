"""Events to sockets and processes: who used which socket, and when.

The state of a socket changes in interrupts, too, where the process named is a stranger; only what
is `BELIEVED` names one. A call is told as it returns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, inlined, kernel
from tcpsnoop.owners.tracing.events import (
    BELIEVED,
    DESTROYED,
    EXECUTED,
    EXITED,
    FORKED,
    KERNEL_THREAD,
    LOST,
    NAMED,
    NAMESPACE,
    RECEIVED,
    SEEDED,
    SENT,
    STATE,
)
from tcpsnoop.owners.tracing.tables import (
    ALWAYS,
    CALLED,
    CALLER,
    LISTENING,
    LOST_EVENTS,
    LOST_NS,
    NEVER,
    NONE,
    RUNS,
    STRANGER,
    TRANSLATES,
    UNJOINED,
    UNTOLD,
    USED,
    USERS,
    WRITES,
    Tables,
    bury,
    find_socket,
    link_ends,
    make_process,
    make_socket,
)

# include/net/tcp_states.h
_SYN_SENT = 2
_SYN_RECV = 3
_FIN_WAIT1 = 4
_CLOSE = 7
_LAST_ACK = 9
_LISTEN = 10


@kernel
def join(
    events: NDArray[np.void], order: NDArray[np.int64], start: Integer, tables: Tables
) -> Integer:
    """Take events in, in this order, from `start` on; where it stopped for want of room."""
    state = tables.state
    state[USED] = 0
    state[WRITES] = 0
    room = min(tables.used.size, tables.writes.size)
    at = start
    while at < order.size and state[USED] < room and state[WRITES] < room:
        event = events[order[at]]
        at += 1
        kind = np.int64(event["kind"])
        if kind == STATE:
            _change(event, tables)
        elif kind == SENT or kind == RECEIVED:
            _call(event, tables, kind)
        elif kind == DESTROYED:
            _destroy(event, tables)
        elif kind == LOST:
            _lose(event, tables)
        else:
            _tell_of_process(event, tables, kind)
    return at


@kernel
def _change(event: Row, tables: Tables) -> None:
    """A socket has another state."""
    sockets = tables.sockets
    time = np.int64(event["time_ns"])
    address = np.int64(event["socket"])
    old, new = np.int64(event["old"]), np.int64(event["new"])
    place = find_socket(tables, address)
    born = (
        (old == _CLOSE and (new == _SYN_SENT or new == _LISTEN))
        or (old == _LISTEN and new == _SYN_RECV)
    )  # fmt: skip
    if born:
        role = CALLER
        if new == _LISTEN:
            role = LISTENING
        elif new == _SYN_RECV:
            role = CALLED
        if place != NONE:
            _close(sockets[place], time)
            bury(tables, place)
        place = make_socket(tables, address, time, role)
    elif place == NONE:
        place = make_socket(tables, address, ALWAYS, UNTOLD)
    _set_ends(event, tables, place)
    if new == _CLOSE:
        _close(sockets[place], time)
    if event["flags"] & BELIEVED:
        if new == _SYN_SENT or new == _LISTEN:
            _use(event, tables, place, 0, False)
        elif new == _FIN_WAIT1 or new == _LAST_ACK or new == _CLOSE:
            _use_at_last(event, tables, place)


@kernel
def _call(event: Row, tables: Tables, kind: Integer) -> None:
    """A send or receive call has returned."""
    if not event["flags"] & BELIEVED:
        return
    place = find_socket(tables, np.int64(event["socket"]))
    if place == NONE:
        # Its ends will be told as it closes.
        tables.state[UNJOINED] += 1
        place = make_socket(tables, np.int64(event["socket"]), ALWAYS, UNTOLD)
    length = max(np.int64(0), np.int64(event["length"]))
    process = _use(event, tables, place, length, kind == SENT)
    if kind == SENT and length > 0:
        state = tables.state
        write = tables.writes[state[WRITES]]
        write["time_ns"] = event["time_ns"]
        write["socket"] = tables.sockets[place]["number"]
        write["process"] = process
        write["bytes"] = length
        state[WRITES] += 1


@kernel
def _destroy(event: Row, tables: Tables) -> None:
    """A socket is gone; its address will be used again."""
    place = find_socket(tables, np.int64(event["socket"]))
    if place == NONE:
        return
    one = tables.sockets[place]
    _set_ends(event, tables, place)
    one["cookie"] = event["cookie"]
    if event["flags"] & BELIEVED:
        _use_at_last(event, tables, place)
    _close(one, np.int64(event["time_ns"]))
    bury(tables, place)


@kernel
def _lose(event: Row, tables: Tables) -> None:
    """Events are missing: who has an address in the kernel, or a PID, is not known any more."""
    state, sockets = tables.state, tables.sockets
    time = np.int64(event["time_ns"])
    state[LOST_EVENTS] += np.int64(event["length"])
    state[LOST_NS] = max(np.int64(state[LOST_NS]), time)
    for place in range(sockets.size):
        one = sockets[place]
        if one["lives"] != 0:
            _close(one, time)
            one["lives"] = 0
    for bucket in range(tables.by_address.size):
        tables.by_address[bucket] = NONE
    for pid in range(tables.by_pid.size):
        if tables.by_pid[pid] != NONE:
            number = np.int64(tables.by_pid[pid])
            tables.processes[number & (tables.processes.size - 1)]["exit_ns"] = time
            tables.by_pid[pid] = NONE
        tables.pid_of[pid] = 0
        tables.namespace_of[pid] = 0


@inlined
def _close(one: Row, time: Integer) -> None:
    if one["closed_ns"] == NEVER:
        one["closed_ns"] = time


@kernel
def _set_ends(event: Row, tables: Tables, place: Integer) -> None:
    """Both ends of a socket, once they are known whole; a caller's port comes after its birth."""
    one = tables.sockets[place]
    port = np.int64(event["lport"])
    if one["lport"] != 0 or (one["bucket"] != NONE and port == 0):
        return
    one["laddr_high"] = event["laddr_high"]
    one["laddr_low"] = event["laddr_low"]
    one["raddr_high"] = event["raddr_high"]
    one["raddr_low"] = event["raddr_low"]
    one["lport"] = port
    one["rport"] = event["rport"]
    link_ends(tables, place)


@kernel
def _use_at_last(event: Row, tables: Tables, place: Integer) -> None:
    """Who closes a socket that nobody has used is its owner."""
    if tables.sockets[place]["runs"] == 0:
        _use(event, tables, place, 0, False)


@kernel
def _use(event: Row, tables: Tables, place: Integer, length: Integer, sent: Integer) -> Integer:
    """Remember that a process has used a socket; its number, or STRANGER."""
    one = tables.sockets[place]
    process = _process_of(event, tables)
    tid = np.int64(event["tid"])
    if one["namespace"] == 0 and 0 <= tid < tables.namespace_of.size:
        one["namespace"] = tables.namespace_of[tid]
    runs = np.int64(one["runs"])
    if runs == 0 or tables.run_process[place, (runs - 1) % RUNS] != process:
        tables.run_process[place, runs % RUNS] = process
        tables.run_ns[place, runs % RUNS] = event["time_ns"]
        tables.run_sent[place, runs % RUNS] = sent
        runs += 1
        one["runs"] = runs
    tables.run_until_ns[place, (runs - 1) % RUNS] = event["time_ns"]
    users = np.int64(one["users"])
    for user in range(USERS):
        if user >= users:
            break
        if tables.user_process[place, user] == process:
            tables.user_bytes[place, user] += length
            return process
    if users < USERS:
        tables.user_process[place, users] = process
        tables.user_bytes[place, users] = length
    one["users"] = min(users + 1, USERS + 1)
    return process


@kernel
def _process_of(event: Row, tables: Tables) -> Integer:
    """The process that an event is of."""
    state, processes = tables.state, tables.processes
    pid = _pid_of(event, tables)
    if pid <= 0 or pid >= tables.by_pid.size:
        return np.int64(STRANGER)
    number = _living(tables, pid)
    if number == NONE:
        number = np.int64(processes[make_process(tables, pid, ALWAYS)]["number"])
    one = processes[number & (processes.size - 1)]
    if event["cgroup"] != 0:
        one["cgroup"] = event["cgroup"]
    if one["used"] == 0:
        one["used"] = 1
        tables.used[state[USED]] = number
        state[USED] += 1
    return number


@kernel
def _living(tables: Tables, pid: Integer) -> Integer:
    """The number of the process that has a PID now, NONE when it was forgotten."""
    number = np.int64(tables.by_pid[pid])
    if number != NONE:
        there = tables.processes[number & (tables.processes.size - 1)]
        if there["number"] != number:
            return np.int64(NONE)
    return number


@inlined
def _pid_of(event: Row, tables: Tables) -> Integer:
    """The PID of an event, where tracing tells threads alone by what is known of them."""
    pid = np.int64(event["pid"])
    tid = np.int64(event["tid"])
    if tables.state[TRANSLATES] != 0 and pid == 0 and 0 < tid < tables.pid_of.size:
        pid = np.int64(tables.pid_of[tid])
    return pid


@kernel
def _tell_of_process(event: Row, tables: Tables, kind: Integer) -> None:
    """A thread or process begins, is named, moves, ends; or was there before."""
    processes = tables.processes
    tid = np.int64(event["tid"])
    if tid <= 0 or tid >= tables.by_pid.size:
        return
    time = np.int64(event["time_ns"])
    if kind == FORKED:
        _fork(event, tables, tid, time)
        return
    if kind == NAMESPACE:
        tables.namespace_of[tid] = event["socket"]
        return
    if kind == SEEDED:
        _seed(event, tables, tid)
        return
    pid = _pid_of(event, tables)
    if pid != tid:
        if kind == EXITED:
            tables.pid_of[tid] = 0
        return
    number = _living(tables, pid)
    if number == NONE:
        return
    one = processes[number & (processes.size - 1)]
    if kind == NAMED:
        _rename(one, event, time)
        if one["used"] != 0:
            # It is met again, under another name.
            tables.used[tables.state[USED]] = number
            tables.state[USED] += 1
    elif kind == EXITED:
        # Its other threads may go on, under the same PID.
        one["exit_ns"] = time


@inlined
def _rename(one: Row, event: Row, time: Integer) -> None:
    """A process has another name, another program, or both: it is another owner then."""
    if event["flags"] & EXECUTED:
        one["executed_ns"] = time
        one["code"] = NONE
        one["before"] = NONE
    high, low = np.int64(event["laddr_high"]), np.int64(event["laddr_low"])
    if high == 0 or (high == one["name_high"] and low == one["name_low"]):
        return
    if one["code"] != NONE:
        one["before"] = one["code"]
        one["code"] = NONE
    one["name_high"] = high
    one["name_low"] = low


@kernel
def _fork(event: Row, tables: Tables, tid: Integer, time: Integer) -> None:
    """A new thread; a new process if its number is its own."""
    processes = tables.processes
    maker = np.int64(event["length"])
    pid = np.int64(event["pid"])
    known = 0 < maker < tables.by_pid.size
    if tables.state[TRANSLATES] != 0:
        # Nothing tells there when a thread moves, as most programs do before they call exec.
        tables.namespace_of[tid] = 0
        if known:
            maker = np.int64(tables.pid_of[maker])
            known = 0 < maker < tables.by_pid.size
        tables.pid_of[tid] = pid if pid != 0 else maker
    if pid != tid:
        return
    before = _living(tables, pid)
    if before != NONE and processes[before & (processes.size - 1)]["exit_ns"] == NEVER:
        processes[before & (processes.size - 1)]["exit_ns"] = time
    one = processes[make_process(tables, pid, time)]
    if not known:
        return
    made_by = _living(tables, maker)
    if made_by == NONE:
        return
    parent = processes[made_by & (processes.size - 1)]
    one["parent"] = parent["number"]
    one["name_high"] = parent["name_high"]
    one["name_low"] = parent["name_low"]
    one["kernel"] = parent["kernel"] if maker == 2 else 0  # kthreadd makes all of them


@kernel
def _seed(event: Row, tables: Tables, tid: Integer) -> None:
    """A thread that was there when tracing began; what events told since is newer."""
    processes = tables.processes
    pid = np.int64(event["pid"])
    if pid <= 0 or pid >= tables.by_pid.size:
        return
    if tables.namespace_of[tid] == 0:
        tables.namespace_of[tid] = event["socket"]
    tables.pid_of[tid] = pid
    if pid != tid:
        return
    number = _living(tables, pid)
    if number == NONE:
        number = np.int64(processes[make_process(tables, pid, ALWAYS)]["number"])
    one = processes[number & (processes.size - 1)]
    if one["name_high"] == 0:
        one["name_high"] = event["laddr_high"]
        one["name_low"] = event["laddr_low"]
    if one["start_ns"] == ALWAYS:
        one["start_ticks"] = event["cookie"]
    if event["flags"] & KERNEL_THREAD:
        one["kernel"] = 1
