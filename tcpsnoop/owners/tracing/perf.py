"""The kernel's record through perf_event_open(2): a ring for each processor. Needs CAP_PERFMON.

Process numbers are of our PID namespace, 0 where one is not in it. The loss of events is told in
the rings themselves.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import platform
import select
import struct
import threading
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.owners.tracing.decoding_kernel import COUNT, PLACES, POSITION, decode_perf
from tcpsnoop.owners.tracing.events import EVENT
from tcpsnoop.owners.tracing.formats import (
    DESTROY,
    RECEIVE,
    SEND,
    SOCKET_STATE,
    Tracepoints,
    TracingUnavailableError,
)
from tcpsnoop.owners.tracing.layout import layout_of

# perf_event_open's number, which differs by machine (asm/unistd.h); Python's libraries lack it.
_SYSCALL = {
    "x86_64": 298,
    "aarch64": 241,
    "riscv64": 241,
    "loongarch64": 241,
    "ppc64le": 319,
}

# include/uapi/linux/perf_event.h
_TYPE_SOFTWARE, _TYPE_TRACEPOINT = 1, 2
_COUNT_SW_DUMMY = 9
_SAMPLE_TID, _SAMPLE_TIME, _SAMPLE_RAW, _SAMPLE_CGROUP = 1 << 1, 1 << 2, 1 << 10, 1 << 21
_DISABLED, _COMM, _TASK, _WATERMARK = 1 << 0, 1 << 9, 1 << 13, 1 << 14
_SAMPLE_ID_ALL, _COMM_EXEC, _USE_CLOCKID = 1 << 18, 1 << 24, 1 << 25
_NAMESPACES = 1 << 28
_FLAG_FD_CLOEXEC = 8
_IOC_ENABLE, _IOC_SET_OUTPUT, _IOC_SET_FILTER = 0x2400, 0x2405, 0x40082406
_HEAD, _TAIL = 1024, 1032  # of the page before a ring's data
_ATTR = struct.Struct("=IIQQQQQIIQQQQIiQIHH")

# Rings are as large as the limit on locked memory lets them be, from the first of these on.
RING_PAGES = (1024, 512, 256, 128, 64, 32)

# What of these tracepoints is of TCP: other sockets' calls do not reach the ring.
_FILTERS = {
    SOCKET_STATE: b"protocol == 6",
    SEND: b"protocol == 6",
    RECEIVE: b"protocol == 6",
    DESTROY: None,
}


class PerfRings:
    """Events of all processors; TracingUnavailableError when they cannot be had.

    A thread empties rings that are a quarter full, so that nothing is lost while others are at
    work; `read` gives what has come.
    """

    method = "perf"
    translates = False

    def __init__(self, tracepoints: Tracepoints, pages: Sequence[int] = RING_PAGES) -> None:
        self._layout = layout_of(tracepoints)
        self._rings: list[_Ring] = []
        self._descriptors: list[int] = []
        self._held: list[int] = []
        self._lock = threading.Lock()
        self._events = np.zeros(1 << 13, EVENT)
        self._progress = np.zeros(PLACES, np.int64)
        try:
            self._held = _own_namespaces()
            for processor in _processors():
                self._open(processor, tracepoints, pages)
            for descriptor in self._descriptors:
                fcntl.ioctl(descriptor, _IOC_ENABLE, 0)
        except BaseException:
            self.close()
            raise
        self._stop_reading, self._stop_writing = os.pipe()
        self._emptier = threading.Thread(target=self._empty, daemon=True)
        self._emptier.start()

    def read(self) -> NDArray[np.void]:
        """Rows of EVENT since the last call, ring by ring; valid until the next call."""
        self._progress[COUNT] = 0
        with self._lock:
            pieces = [piece for ring in self._rings for piece in ring.take()]
        for piece in pieces:
            self._progress[POSITION] = 0
            while True:
                decode_perf(piece, len(piece), self._layout, self._events, self._progress)
                if self._progress[COUNT] < len(self._events):
                    break
                self._events = np.concatenate((self._events, np.zeros_like(self._events)))
        return self._events[: int(self._progress[COUNT])]

    def close(self) -> None:
        """Stop tracing; may be called twice."""
        if hasattr(self, "_emptier"):
            os.close(self._stop_writing)
            self._emptier.join()
            os.close(self._stop_reading)
            del self._emptier
        for descriptor in (*self._descriptors, *self._held):
            os.close(descriptor)
        self._descriptors, self._held = [], []
        self._rings = []

    def _open(self, processor: int, tracepoints: Tracepoints, pages: Sequence[int]) -> None:
        ring = _open_ring(processor, pages)
        leader = ring.descriptor
        self._descriptors.append(leader)
        self._rings.append(ring)
        for name, expression in _FILTERS.items():
            event = _open_event(_tracepoint(tracepoints[name].number), processor)
            self._descriptors.append(event)
            fcntl.ioctl(event, _IOC_SET_OUTPUT, leader)
            if expression is not None:
                fcntl.ioctl(event, _IOC_SET_FILTER, expression + b"\0")

    def _empty(self) -> None:
        poll = select.poll()
        for ring in self._rings:
            poll.register(ring.descriptor, select.POLLIN)
        poll.register(self._stop_reading, select.POLLHUP)
        while True:
            ready = poll.poll()
            if any(descriptor == self._stop_reading for descriptor, _ in ready):
                return
            with self._lock:
                for ring in self._rings:
                    ring.fetch()


class _Ring:
    """One ring: what is in it, and what was fetched from it and not yet taken."""

    def __init__(self, descriptor: int, area: mmap.mmap) -> None:
        self.descriptor = descriptor
        self._area = area
        self._control = np.frombuffer(area, np.int64, count=_TAIL // 8 + 1)
        self._data = np.frombuffer(area, np.uint8, offset=mmap.PAGESIZE)
        self._fetched: list[NDArray[np.uint8]] = []

    def fetch(self) -> None:
        """Copy what is in the ring, and leave room for more."""
        head, tail = int(self._control[_HEAD // 8]), int(self._control[_TAIL // 8])
        if head == tail:
            return
        size = len(self._data)
        start, stop = tail % size, head % size
        if start < stop:
            piece = self._data[start:stop].copy()
        else:
            piece = np.concatenate((self._data[start:], self._data[:stop]))
        self._control[_TAIL // 8] = head
        self._fetched.append(piece)

    def take(self) -> list[NDArray[np.uint8]]:
        """All that has come, in pieces of whole records."""
        self.fetch()
        taken, self._fetched = self._fetched, []
        return taken


def _own_namespaces() -> list[int]:
    """Descriptors of the namespaces that we are in, and most of what runs here.

    perf tells the namespaces of each process as it is forked, by the inodes of these files, which
    the kernel makes anew each time, seven of them, unless somebody has them open: 15 µs a fork.
    """
    held = []
    for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        with contextlib.suppress(OSError):  # a kernel without it
            held.append(os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC))
    return held


def _open_ring(processor: int, pages: Sequence[int]) -> _Ring:
    """The largest ring that may be locked in memory, which wakes us when it is a quarter full."""
    for count in pages:
        size = count * mmap.PAGESIZE
        leader = _open_event(_dummy(size // 4), processor)
        try:
            return _Ring(leader, mmap.mmap(leader, mmap.PAGESIZE + size))
        except OSError:
            os.close(leader)
    raise TracingUnavailableError(
        "the limit on locked memory leaves no room for a ring (kernel.perf_event_mlock_kb)"
    )


def _dummy(wake_at: int) -> bytes:
    """An event that never happens: it carries what perf itself tells of processes."""
    flags = _COMM | _TASK | _COMM_EXEC | _NAMESPACES
    return _attributes(_TYPE_SOFTWARE, _COUNT_SW_DUMMY, flags, wake_at)


def _tracepoint(number: int) -> bytes:
    return _attributes(_TYPE_TRACEPOINT, number, 0, 0)


def _attributes(kind: int, config: int, flags: int, wake_at: int) -> bytes:
    """Struct perf_event_attr: every event is a sample, stamped by the monotonic clock."""
    sample = _SAMPLE_TID | _SAMPLE_TIME | _SAMPLE_RAW | _SAMPLE_CGROUP
    # All events of a ring have a watermark or none; 1 byte would wake us at each.
    flags |= _DISABLED | _WATERMARK | _SAMPLE_ID_ALL | _USE_CLOCKID
    wake = wake_at or (1 << 31) - 1
    clock = 1  # CLOCK_MONOTONIC
    size = _ATTR.size
    return _ATTR.pack(kind, size, config, 1, sample, 0, flags, wake, *(0,) * 6, clock, *(0,) * 4)


def _open_event(attributes: bytes, processor: int) -> int:
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise TracingUnavailableError(f"perf_event_open is not known on {platform.machine()}")
    library = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(attributes, len(attributes))
    descriptor: int = library.syscall(
        ctypes.c_long(number), room, ctypes.c_int(-1), ctypes.c_int(processor), ctypes.c_int(-1),
        ctypes.c_ulong(_FLAG_FD_CLOEXEC),
    )  # fmt: skip
    if descriptor < 0:
        reason = os.strerror(ctypes.get_errno())
        raise TracingUnavailableError(f"perf_event_open: {reason} (root may, and CAP_PERFMON)")
    return descriptor


def _processors() -> Iterator[int]:
    """Those that are online, as in /sys/devices/system/cpu/online: `0-3,8`."""
    with open("/sys/devices/system/cpu/online") as file:
        ranges = file.read().strip().split(",")
    for each in ranges:
        first, _, last = each.partition("-")
        yield from range(int(first), int(last or first) + 1)
