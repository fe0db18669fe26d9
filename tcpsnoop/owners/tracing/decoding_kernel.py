"""Records of the kernel's rings to rows of EVENT.

Two framings hold the same records of tracepoints: a perf ring (perf_event_open(2)) and the pages
of tracefs (include/linux/ring_buffer.h). perf tells of processes by records of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel
from tcpsnoop.owners.tracing.events import (
    BELIEVED,
    EXECUTED,
    EXITED,
    FORKED,
    LOST,
    NAMED,
    NAMESPACE,
    RECEIVED,
    SENT,
    STATE,
)
from tcpsnoop.owners.tracing.layout import (
    CLONE_FLAGS,
    COOKIE,
    END,
    FAMILY,
    FLAGS,
    KIND,
    LENGTH,
    LOCAL,
    LOCAL_IPV4,
    LOCAL_PORT,
    MESSAGE_FLAGS,
    NAME,
    NEW,
    OLD,
    PID,
    PROTOCOL,
    REMOTE,
    REMOTE_IPV4,
    REMOTE_PORT,
    SOCKET,
    THREAD,
    TYPE,
    Layout,
)

# Places in the progress of a decoding kernel.
POSITION = 0  # bytes done
COUNT = 1  # rows written
PAGE_TIME = 2  # tracefs: the clock within a page
PLACES = 3

# common_flags: bits of an interrupt (include/linux/trace_events.h: TRACE_FLAG_HARDIRQ, SOFTIRQ,
# NMI). The process is then whoever was interrupted.
_IN_INTERRUPT = 0x08 | 0x10 | 0x40
_IPPROTO_TCP = 6
_AF_INET = 2
_MSG_PEEK = 2
_CLONE_THREAD = 0x10000

# Record types of include/uapi/linux/perf_event.h.
_PERF_LOST = 2
_PERF_COMM = 3
_PERF_EXIT = 4
_PERF_FORK = 7
_PERF_SAMPLE = 9
_PERF_NAMESPACES = 16
_MISC_COMM_EXEC = 1 << 13
_HEADER = 8
_SAMPLE_RAW = 28  # of a sample: header, pid, tid, time, and the size of what follows
_CGROUP = 8

# Types of an event header in a tracefs page, and what lies before the first.
_PADDING = 29
_TIME_EXTEND = 30
_TIME_STAMP = 31
_PAGE_HEADER = 16
_MISSED_EVENTS = 1 << 31
_MISSED_STORED = 1 << 30  # how many stands after the data
_COMMIT_MASK = (1 << 20) - 1

Bytes = NDArray[np.uint8]


@inlined
def word(data: Bytes, at: Integer, size: Integer) -> Integer:
    """An unsigned number, little-endian; of 8 bytes it is taken as signed."""
    value = np.int64(0)
    for place in range(size):
        value |= np.int64(data[at + place]) << (8 * place)
    return value


@inlined
def signed(data: Bytes, at: Integer) -> Integer:
    """A signed number of 4 bytes."""
    value = word(data, at, 4)
    return value - ((value & 0x80000000) << 1)


@inlined
def half(data: Bytes, at: Integer) -> Integer:
    """Eight bytes of an address, the most significant first."""
    value = np.int64(0)
    for place in range(8):
        value |= np.int64(data[at + place]) << (8 * (7 - place))
    return value


@inlined
def _mapped(data: Bytes, at: Integer) -> Integer:
    """The low half of an IPv4 address as it stands in IPv6."""
    value = np.int64(0xFFFF)
    for place in range(4):
        value = value << 8 | np.int64(data[at + place])
    return value


@inlined
def _clear(event: Row) -> None:
    event["socket"] = 0
    event["cookie"] = 0
    event["laddr_high"] = 0
    event["laddr_low"] = 0
    event["raddr_high"] = 0
    event["raddr_low"] = 0
    event["cgroup"] = 0
    event["pid"] = 0
    event["tid"] = 0
    event["length"] = 0
    event["lport"] = 0
    event["rport"] = 0
    event["old"] = 0
    event["new"] = 0
    event["flags"] = 0


@inlined
def _name(event: Row, data: Bytes, at: Integer, size: Integer) -> None:
    """The 16 bytes of a command's name, cleared after its end."""
    high = np.int64(0)
    low = np.int64(0)
    for place in range(min(size, 16)):
        byte = np.int64(data[at + place])
        if byte == 0:
            break
        if place < 8:
            high |= byte << (8 * (7 - place))
        else:
            low |= byte << (8 * (15 - place))
    event["laddr_high"] = high
    event["laddr_low"] = low


@kernel
def _addresses(event: Row, data: Bytes, at: Integer, fields: NDArray[np.int64]) -> None:
    """Both ends of a socket, IPv4 as IPv4-mapped."""
    event["lport"] = word(data, at + fields[LOCAL_PORT], 2)
    event["rport"] = word(data, at + fields[REMOTE_PORT], 2)
    if word(data, at + fields[FAMILY], 2) == _AF_INET:
        event["laddr_low"] = _mapped(data, at + fields[LOCAL_IPV4])
        event["raddr_low"] = _mapped(data, at + fields[REMOTE_IPV4])
        return
    event["laddr_high"] = half(data, at + fields[LOCAL])
    event["laddr_low"] = half(data, at + fields[LOCAL] + 8)
    event["raddr_high"] = half(data, at + fields[REMOTE])
    event["raddr_low"] = half(data, at + fields[REMOTE] + 8)


@kernel
def _record(event: Row, data: Bytes, at: Integer, size: Integer, layout: Layout) -> Truth:
    """Fill in what the record of a tracepoint says; whether it is one for us."""
    number = word(data, at, 2)
    for index in range(layout.shape[0]):
        fields = layout[index]
        if fields[TYPE] != number:
            continue
        if size < fields[END]:
            return False
        kind = fields[KIND]
        event["kind"] = kind
        if fields[PROTOCOL] >= 0 and word(data, at + fields[PROTOCOL], 2) != _IPPROTO_TCP:
            return False
        if word(data, at + fields[FLAGS], 1) & _IN_INTERRUPT == 0:
            event["flags"] = BELIEVED
        if fields[SOCKET] >= 0:
            event["socket"] = word(data, at + fields[SOCKET], 8)
        if fields[LOCAL_PORT] >= 0:
            _addresses(event, data, at, fields)
        if kind == STATE:
            event["old"] = word(data, at + fields[OLD], 4) & 0xFF
            event["new"] = word(data, at + fields[NEW], 4) & 0xFF
        elif kind == SENT or kind == RECEIVED:
            length = signed(data, at + fields[LENGTH])
            if length > 0 and word(data, at + fields[MESSAGE_FLAGS], 4) & _MSG_PEEK != 0:
                length = 0
            event["length"] = length
        elif fields[COOKIE] >= 0:
            event["cookie"] = word(data, at + fields[COOKIE], 8)
        return True
    return False


@kernel
def decode_perf(
    data: Bytes, end: Integer, layout: Layout, events: NDArray[np.void], progress: NDArray[np.int64]
) -> None:
    """Records of a perf ring before `end`, as long as there is room for rows.

    Samples have PERF_SAMPLE_TID, TIME, RAW and CGROUP; other records end with the time.
    """
    at, count = progress[POSITION], progress[COUNT]
    while count < events.size and at + _HEADER <= end:
        record = word(data, at, 4)
        size = word(data, at + 6, 2)
        if size < _HEADER or at + size > end:
            break
        following = at + size
        event = events[count]
        _clear(event)
        if record == _PERF_SAMPLE:
            if size >= _SAMPLE_RAW + _CGROUP:
                room = size - _SAMPLE_RAW - _CGROUP
                raw = min(word(data, at + _SAMPLE_RAW - 4, 4), room)
                if raw >= 2 and _record(event, data, at + _SAMPLE_RAW, raw, layout):
                    event["pid"] = signed(data, at + 8)
                    event["tid"] = signed(data, at + 12)
                    event["time_ns"] = word(data, at + 16, 8)
                    event["cgroup"] = word(data, following - _CGROUP, 8)
                    count += 1
        elif size >= _HEADER + 32 and _side_record(event, data, at, size, record):
            event["time_ns"] = word(data, following - 8, 8)
            count += 1
        at = following
    progress[POSITION], progress[COUNT] = at, count


@kernel
def _side_record(event: Row, data: Bytes, at: Integer, size: Integer, record: Integer) -> Truth:
    """What perf itself tells of a process; `size` is at least 40."""
    pid = signed(data, at + 8)
    tid = signed(data, at + 12)
    event["pid"] = pid
    event["tid"] = tid
    if record == _PERF_LOST:
        event["kind"] = LOST
        event["pid"] = 0
        event["tid"] = 0
        event["length"] = min(word(data, at + 16, 8), 0x7FFFFFFF)
    elif record == _PERF_FORK or record == _PERF_EXIT:
        event["kind"] = FORKED if record == _PERF_FORK else EXITED
        event["tid"] = signed(data, at + 16)
        event["length"] = tid  # the parent's PID
    elif record == _PERF_COMM:
        event["kind"] = NAMED
        if word(data, at + 4, 2) & _MISC_COMM_EXEC != 0:
            event["flags"] = EXECUTED
        _name(event, data, at + 16, size - 32)
    elif record == _PERF_NAMESPACES and size >= 56:
        event["kind"] = NAMESPACE
        event["socket"] = word(data, at + 32, 8)  # inode of the first, the network's
    else:
        return False
    return True


@kernel
def decode_pages(
    data: Bytes,
    end: Integer,
    page_size: Integer,
    layout: Layout,
    events: NDArray[np.void],
    progress: NDArray[np.int64],
) -> None:
    """Whole tracefs pages before `end`, as long as there is room for all rows of one."""
    at, count = progress[POSITION], progress[COUNT]
    while at + page_size <= end and count + page_size // 8 <= events.size:
        time = word(data, at, 8)
        commit = word(data, at + 8, 8)
        if commit & _MISSED_EVENTS != 0:
            event = events[count]
            _clear(event)
            event["kind"] = LOST
            event["time_ns"] = time
            event["length"] = 1
            after = at + _PAGE_HEADER + (commit & _COMMIT_MASK)
            if commit & _MISSED_STORED != 0 and after + 8 <= at + page_size:
                event["length"] = min(max(word(data, after, 8), 1), 0x7FFFFFFF)
            count += 1
        place = at + _PAGE_HEADER
        stop = min(at + page_size, place + (commit & _COMMIT_MASK))
        while place + 4 <= stop:
            header = word(data, place, 4)
            kind = header & 31
            delta = header >> 5
            place += 4
            if kind == _TIME_EXTEND:
                if place + 4 > stop:
                    break
                time += delta + (word(data, place, 4) << 27)
                place += 4
                continue
            if kind == _TIME_STAMP:
                if place + 4 > stop:
                    break
                time = delta + (word(data, place, 4) << 27) | (time >> 59 << 59)
                place += 4
                continue
            time += delta
            if kind == _PADDING:
                if delta == 0 or place + 4 > stop:
                    break
                place += word(data, place, 4)
                continue
            length = kind * 4
            if kind == 0:
                if place + 4 > stop:
                    break
                length = word(data, place, 4) - 4
                place += 4
            if length < 2 or place + length > stop:
                break
            event = events[count]
            _clear(event)
            if _record(event, data, place, length, layout):
                _of_thread(event, data, place, layout)
                event["time_ns"] = time
                count += 1
            place += length
        at += page_size
    progress[POSITION], progress[COUNT] = at, count


@kernel
def _of_thread(event: Row, data: Bytes, at: Integer, layout: Layout) -> None:
    """What tracefs tells of threads: `tid` acted, `pid` is left for whoever knows its process.

    FORKED has the new thread as `tid`, its own process if it is one, else 0, as `pid`, and who made
    it as `length`.
    """
    number = word(data, at, 2)
    for index in range(layout.shape[0]):
        fields = layout[index]
        if fields[TYPE] != number:
            continue
        thread = signed(data, at + fields[THREAD])
        event["tid"] = thread
        kind = fields[KIND]
        if kind == FORKED:
            event["tid"] = signed(data, at + fields[PID])
            event["length"] = thread
            if word(data, at + fields[CLONE_FLAGS], 8) & _CLONE_THREAD == 0:
                event["pid"] = event["tid"]
        elif kind == NAMED:
            event["tid"] = signed(data, at + fields[PID])
            if fields[NAME] < 0:
                event["flags"] = EXECUTED
        elif kind == EXITED:
            event["tid"] = signed(data, at + fields[PID])
        if fields[NAME] >= 0:
            _name(event, data, at + fields[NAME], 16)
