"""The kernel's record through tracefs: the raw ring of an instance of our own. For root alone.

It tells threads, by numbers of the first PID namespace; whose they are is followed from the
threads that were there and those made since. Of threads made since, the network namespace is not
known: where two have the same ends at once, neither is believed.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.owners.tracing.decoding_kernel import COUNT, PLACES, POSITION, decode_pages
from tcpsnoop.owners.tracing.events import EVENT
from tcpsnoop.owners.tracing.formats import (
    RECEIVE,
    SEND,
    SOCKET_STATE,
    Tracepoints,
    TracingUnavailableError,
    find_tracefs,
)
from tcpsnoop.owners.tracing.layout import layout_of

# Of each processor; the kernel's own unit.
BUFFER_KIB = 4096
_OF_TCP = {SOCKET_STATE, SEND, RECEIVE}
_FIRST_PID_NAMESPACE = 0xEFFFFFFC  # its inode, include/linux/proc_ns.h
_PAGES_AT_ONCE = 64


class InstanceRings:
    """Events of all processors; TracingUnavailableError when they cannot be had."""

    method = "tracefs"
    translates = True

    def __init__(self, tracepoints: Tracepoints) -> None:
        self._layout = layout_of(tracepoints)
        self._descriptors: list[int] = []
        self._folder: Path | None = None
        tracefs = find_tracefs()
        if tracefs is None:
            raise TracingUnavailableError("tracefs is not mounted here, or for root alone")
        if os.stat("/proc/self/ns/pid").st_ino != _FIRST_PID_NAMESPACE:
            raise TracingUnavailableError("tracefs tells PIDs of another PID namespace")
        self._page = mmap.PAGESIZE
        # Room for the rows of many pages; a page has no more than one for each 8 bytes.
        self._events = np.zeros(_PAGES_AT_ONCE * self._page // 8, EVENT)
        self._progress = np.zeros(PLACES, np.int64)
        folder = tracefs / "instances" / f"tcpsnoop-{os.getpid()}-{id(self):x}"
        try:
            folder.mkdir()
            self._folder = folder
            self._begin(folder, tracepoints)
        except OSError as error:
            self.close()
            raise TracingUnavailableError(f"tracefs: {error}") from error

    def read(self) -> NDArray[np.void]:
        """Rows of EVENT since the last call, processor by processor; valid until the next call."""
        self._progress[COUNT] = 0
        pages = [page for descriptor in self._descriptors for page in self._pages(descriptor)]
        data = np.frombuffer(b"".join(pages), np.uint8)
        self._progress[POSITION] = 0
        # Kernels are compiled for arrays that can be written.
        data = data.copy()
        while True:
            decode_pages(data, len(data), self._page, self._layout, self._events, self._progress)
            if self._progress[POSITION] + self._page > len(data):
                return self._events[: int(self._progress[COUNT])]
            self._events = np.concatenate((self._events, np.zeros_like(self._events)))

    def close(self) -> None:
        """Stop tracing; may be called twice."""
        folder, self._folder = self._folder, None
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []
        if folder is not None:
            with contextlib.suppress(OSError):
                (folder / "tracing_on").write_text("0")
                (folder / "events" / "enable").write_text("0")
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _begin(self, folder: Path, tracepoints: Tracepoints) -> None:
        (folder / "tracing_on").write_text("0")
        (folder / "trace_clock").write_text("mono")
        (folder / "buffer_size_kb").write_text(str(BUFFER_KIB))
        for name in tracepoints:
            event = folder / "events" / name.replace(":", "/")
            if name in _OF_TCP:
                (event / "filter").write_text("protocol == 6")
            (event / "enable").write_text("1")
        for processor in sorted((folder / "per_cpu").iterdir()):
            ring = processor / "trace_pipe_raw"
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            self._descriptors.append(os.open(ring, flags))
        (folder / "tracing_on").write_text("1")

    def _pages(self, descriptor: int) -> list[bytes]:
        """What is in a ring, page by page; the last may be part of one."""
        pages = []
        with contextlib.suppress(BlockingIOError):
            while page := os.read(descriptor, self._page):
                pages.append(page.ljust(self._page, b"\0"))
        return pages
