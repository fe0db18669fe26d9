"""From an end of a connection, as packets show it, to its socket; from there to who used it when.

A socket is an end's when it has the same addresses and ports in the same network namespace, and
was there when the packets say. The end that called has it before its SYN. The end that was called
gets it after the SYN, so it is the first one made since; and it is believed only once every packet
up to its making was seen, for there could be a newer connection in this one's place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probes import CLOSED, ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import RST, SYN
from tcpsnoop.kernel import Integer, Row, Truth, kernel
from tcpsnoop.owners.tracing.tables import (
    ALWAYS,
    CALLED,
    CALLER,
    CAPTURED_NS,
    LISTENING,
    NAMESPACE_OWN,
    NEVER,
    NEW_ENDS,
    NONE,
    RUNS,
    STRANGER,
    USERS,
    Tables,
    ends_bucket,
)

# Packets are stamped in microseconds, rounded down.
MICROSECOND = 1000
# Where a capture begins with the segment that completes the handshake, the socket is made later.
MILLISECOND = 1_000_000

# Bits of END["flags"].
SYN_SEEN = 1
REFUSED = 2  # it has answered with nothing but a RST
ANSWERED = 4  # it has sent something else
ELSEWHERE = 8  # its address is not of our network namespace
ESTIMATED = 16  # a write of it was taken from packets: its send calls do not count

END = np.dtype(
    [
        ("key", "i8"),  # connection * 2 + end, NONE: free
        ("socket", "i8"),  # its number, NONE unknown
        ("process", "i8"),  # as last answered, NONE
        ("code", "i4"),  # that process as an owner
        ("first_ns", "i8"),  # its first packet
        ("ended_ns", "i8"),  # a RST was seen, or both FINs
        ("next_ns", "i8"),  # the first packet of a newer connection in its place
        ("laddr_high", "i8"),
        ("laddr_low", "i8"),
        ("raddr_high", "i8"),
        ("raddr_low", "i8"),
        ("lport", "u2"),
        ("rport", "u2"),
        ("flags", "u1"),
    ],
    align=True,
)

# Answers.
UNMATCHED = 0
EXACTLY = 1
ONE_OF = 2  # the users of the socket
INVISIBLE = 3  # a process of another PID namespace
NOBODY = 4  # the kernel has answered itself
UNUSED = 5  # the socket is known, no user of it


@kernel
def sight(
    rows: NDArray[np.void],
    ends: NDArray[np.void],
    newest: NDArray[np.int64],
    new_ends: NDArray[np.int64],
    tables: Tables,
) -> None:
    """Note what packets tell of ends; places of new ones go to `new_ends`."""
    state = tables.state
    state[NEW_ENDS] = 0
    for index in range(rows.size):
        row = rows[index]
        time = np.int64(row["time_ns"])
        if time > state[CAPTURED_NS]:
            state[CAPTURED_NS] = time
        key = np.int64(row["connection"]) * 2 + np.int64(row["end"])
        place = key & (ends.size - 1)
        end = ends[place]
        flags = np.int64(row["flags"])
        if end["key"] != key:
            if row["probe"] == CLOSED:
                continue
            _begin(end, row, key, time)
            _succeed(end, ends, newest)
            if state[NEW_ENDS] < new_ends.size:
                new_ends[state[NEW_ENDS]] = place
                state[NEW_ENDS] += 1
        if time < end["first_ns"]:
            end["first_ns"] = time
        if flags & SYN:
            end["flags"] |= SYN_SEEN
        if flags & RST:
            end["ended_ns"] = min(np.int64(end["ended_ns"]), time)
            if row["outgoing"] and not end["flags"] & ANSWERED:
                end["flags"] |= REFUSED
        elif row["outgoing"]:
            end["flags"] |= ANSWERED


@kernel
def _begin(end: Row, row: Row, key: Integer, time: Integer) -> None:
    end["key"] = key
    end["socket"] = NONE
    end["process"] = NONE
    end["code"] = 0
    end["first_ns"] = time
    end["ended_ns"] = NEVER
    end["next_ns"] = NEVER
    end["laddr_high"] = row["laddr_high"]
    end["laddr_low"] = row["laddr_low"]
    end["raddr_high"] = row["raddr_high"]
    end["raddr_low"] = row["raddr_low"]
    end["lport"] = row["lport"]
    end["rport"] = row["rport"]
    end["flags"] = 0


@kernel
def _succeed(end: Row, ends: NDArray[np.void], newest: NDArray[np.int64]) -> None:
    """Let the connection that was in this one's place know when it began."""
    bucket = _bucket(end, newest.size, np.int64(end["lport"]))
    before = newest[bucket]
    newest[bucket] = end["key"]
    if before == NONE:
        return
    older = ends[before & (ends.size - 1)]
    if older["key"] != before or older["key"] >> 1 == end["key"] >> 1 or not _same(older, end):
        return
    older["next_ns"] = min(np.int64(older["next_ns"]), np.int64(end["first_ns"]))


@kernel
def label(
    rows: NDArray[np.void],
    ends: NDArray[np.void],
    tables: Tables,
    answers: NDArray[np.uint8],
    processes: NDArray[np.int64],
    sockets: NDArray[np.int64],
) -> None:
    """For each row an answer, the number of its process or NONE, and of its socket."""
    for index in range(rows.size):
        row = rows[index]
        answers[index] = UNMATCHED
        processes[index] = NONE
        sockets[index] = NONE
        key = np.int64(row["connection"]) * 2 + np.int64(row["end"])
        end = ends[key & (ends.size - 1)]
        if end["key"] != key:
            continue
        if end["socket"] == NONE:
            end["socket"] = _find(end, np.int64(row["end"]), tables)
        number = np.int64(end["socket"])
        sockets[index] = number
        if number == NONE:
            if end["flags"] & (REFUSED | ANSWERED | SYN_SEEN) == REFUSED | SYN_SEEN:
                answers[index] = NOBODY
            continue
        place = number & (tables.sockets.size - 1)
        if tables.sockets[place]["number"] != number:  # forgotten since
            if end["process"] != NONE:
                answers[index] = EXACTLY
                processes[index] = end["process"]
            continue
        if tables.sockets[place]["end"] != key:
            tables.sockets[place]["end"] = key
        run = _run_of(row, place, tables)
        if run == NONE:
            answers[index] = UNUSED if tables.sockets[place]["runs"] == 0 else ONE_OF
            continue
        process = np.int64(tables.run_process[place, run])
        if row["probe"] == CLOSED:
            process = _most_bytes(place, tables, process)
        processes[index] = process
        answers[index] = EXACTLY
        if process == STRANGER:
            answers[index] = INVISIBLE
        else:
            end["process"] = process


@kernel
def _run_of(row: Row, place: Integer, tables: Tables) -> Integer:
    """Which use of the socket a packet is of, NONE when that cannot be told.

    A send is told when the call returns. So what goes out after the last call of one user, when the
    next call is a send of another, may be of either.
    """
    runs = np.int64(tables.sockets[place]["runs"])
    time = np.int64(row["time_ns"]) + MICROSECOND
    for back in range(RUNS):
        if back >= runs:
            break
        run = (runs - 1 - back) % RUNS
        if tables.run_ns[place, run] <= time:
            after = row["time_ns"] > tables.run_until_ns[place, run]
            carries = row["outgoing"] and row["bytes"] != 0
            if back > 0 and after and carries and tables.run_sent[place, (run + 1) % RUNS]:
                return np.int64(NONE)
            return run
    return np.int64(0) if 0 < runs <= RUNS else np.int64(NONE)


@kernel
def _most_bytes(place: Integer, tables: Tables, last: Integer) -> Integer:
    """The user that moved most bytes, ties to the first."""
    users = np.int64(tables.sockets[place]["users"])
    if users > USERS:
        return last
    best = 0
    for user in range(1, USERS):
        if user >= users:
            break
        if tables.user_bytes[place, user] > tables.user_bytes[place, best]:
            best = user
    return np.int64(tables.user_process[place, best])


@kernel
def _find(end: Row, side: Integer, tables: Tables) -> Integer:
    """The number of the socket of an end, NONE when none is sure."""
    found = np.int64(NONE)
    if not end["flags"] & SYN_SEEN:
        return _search(end, tables, False, False)
    if side == RESPONDER:
        found = _search(end, tables, True, False)
    if found == NONE:
        # Also who was called may have called: a simultaneous open, or a socket that met itself.
        found = _search(end, tables, False, False)
    if found == NONE and side == ORIGINATOR:
        found = _search(end, tables, False, True)
    return found


@kernel
def _search(end: Row, tables: Tables, called: Truth, portless: Truth) -> Integer:
    """The number of the one socket that fits, NONE.

    `portless`: among callers of whom no event has told the port yet; there must be just one.
    """
    sockets, state = tables.sockets, tables.state
    lport = np.int64(0) if portless else np.int64(end["lport"])
    bucket = _bucket(end, tables.by_ends.size, lport)
    at = np.int64(tables.by_ends[bucket])
    best = np.int64(NONE)
    best_ns = np.int64(0)
    unsure = np.int64(NONE)  # of unknown namespace
    unsures = 0
    fitting = 0
    namespace = np.int64(0)
    several = False  # namespaces
    while at != NONE:
        one = sockets[at]
        here = at
        at = np.int64(one["next_ends"])
        if one["lport"] != lport or not _same_but_lport(one, end):
            continue
        if not _fits(one, end, called, np.int64(state[CAPTURED_NS])):
            continue
        fitting += 1
        its = np.int64(one["namespace"])
        if its == 0:
            unsure = here
            unsures += 1
            continue
        if (its == state[NAMESPACE_OWN]) == (end["flags"] & ELSEWHERE != 0):
            fitting -= 1
            continue
        if namespace != 0 and its != namespace:
            several = True
        namespace = its
        born = np.int64(one["born_ns"])
        if best == NONE or (born < best_ns if called else born > best_ns):
            best = here
            best_ns = born
    if several or (portless and fitting != 1):
        return np.int64(NONE)
    if best == NONE:
        if unsures != 1:
            return np.int64(NONE)
        best = unsure
    return np.int64(sockets[best]["number"])


@kernel
def _fits(one: Row, end: Row, called: Truth, captured: Integer) -> Truth:
    """Whether the life of a socket fits the packets of an end."""
    first = np.int64(end["first_ns"])
    born, closed = np.int64(one["born_ns"]), np.int64(one["closed_ns"])
    role = np.int64(one["role"])
    if role == LISTENING:
        return False
    if called:
        if role != CALLED or born < first:
            return False
        if born > captured or born > end["next_ns"]:
            return False
        # An acknowledgment may wait in the kernel while a RST is sent after it.
        return born <= end["ended_ns"] or (one["end"] == NONE and not end["flags"] & REFUSED)
    if not end["flags"] & SYN_SEEN:
        late = MILLISECOND if role == CALLED else MICROSECOND
        return born <= first + late and closed >= first
    return role == CALLER and born <= first + MICROSECOND and closed >= first


@kernel
def _bucket(end: Row, buckets: Integer, lport: Integer) -> Integer:
    return ends_bucket(
        np.int64(end["laddr_high"]),
        np.int64(end["laddr_low"]),
        lport,
        np.int64(end["raddr_high"]),
        np.int64(end["raddr_low"]),
        np.int64(end["rport"]),
        buckets,
    )


@kernel
def _same_but_lport(one: Row, other: Row) -> Truth:
    return (
        one["rport"] == other["rport"]
        and one["laddr_low"] == other["laddr_low"]
        and one["raddr_low"] == other["raddr_low"]
        and one["laddr_high"] == other["laddr_high"]
        and one["raddr_high"] == other["raddr_high"]
    )


@kernel
def _same(one: Row, other: Row) -> Truth:
    return one["lport"] == other["lport"] and _same_but_lport(one, other)


def no_ends(size: int) -> NDArray[np.void]:
    """An empty table of ends, a power of two of them."""
    ends = np.zeros(size, END)
    ends["key"] = NONE
    ends["first_ns"] = ALWAYS
    return ends
