"""The bytes of a stream that are being read: one buffer, filled again and again."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.sources.hopping import LARGEST_RECORD

# Of large packets a batch should still have some thousands, as every batch costs the stages after
# this one a fixed time. Reading alone is a quarter slower from 8 MiB on.
CAPACITY = 4 * 1024 * 1024

# The largest record and its header must fit; block headers and trailers are smaller than this.
_HEADROOM = 4096

# A read that gives so much comes from a writer who is ahead, so more is on its way: it is waited
# for a moment, because a batch costs the same whether it has 40 packets or 30,000. A writer who is
# slow never gives so much at once, and what came is shown at once.
AHEAD = 64 * 1024  # what a pipe holds unless asked for more
LINGER = 0.002  # s; a full buffer takes at most 64 of them

# Looking for something, so many bytes are copied at a time: often it is near.
_LOOK = 16 * 1024


class ByteStream(Protocol):
    """Where bytes come from."""

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """The number of bytes read; 0 at the end, None when none came within `timeout` s."""


class ReadBuffer:
    """Bytes from `position` to `end` are unread; `base` is the stream's offset of `data[0]`.

    What a reader leaves unread is moved to the front before more is read, so memory does not grow
    with the stream; the buffer grows only for a record that is larger.
    """

    def __init__(self, stream: ByteStream, capacity: int = CAPACITY) -> None:
        self._stream = stream
        self.data: NDArray[np.uint8] = np.empty(capacity, np.uint8)
        self.position = 0
        self.end = 0
        self.base = 0
        self.exhausted = False
        """The stream has ended: `end` will not move any more."""

    @property
    def offset(self) -> int:
        """The stream's offset of the first unread byte."""
        return self.base + self.position

    def unread(self, count: int) -> bytes:
        """The next bytes, at most `count`; they stay unread."""
        return self.data[self.position : min(self.position + count, self.end)].tobytes()

    def find(self, pattern: bytes) -> int:
        """Where the pattern next begins among the unread bytes, as a position; -1: nowhere."""
        for start in range(self.position, self.end, _LOOK):
            stop = min(start + _LOOK + len(pattern) - 1, self.end)
            if (at := self.data[start:stop].tobytes().find(pattern)) >= 0:
                return start + at
        return -1

    def fill(self, timeout: float, enough: int = LARGEST_RECORD) -> bool:
        """Read what is there, waiting for the first bytes only; whether anything came, or the end.

        At most `enough` bytes. The caller must have read whole records first: a full buffer means
        that it must grow.
        """
        self._make_room()
        before = self.end
        until = min(len(self.data), self.end + enough)
        view = self.data.data
        while self.end < until and not self.exhausted:
            count = self._stream.readinto(view[self.end : until], timeout)
            if count is None:
                break
            self.exhausted = count == 0
            self.end += count
            timeout = LINGER if count >= AHEAD else 0.0
        return self.exhausted or self.end > before

    def release(self) -> None:
        """Give the memory back; nothing is unread any more."""
        self.base += self.end
        self.position = self.end = 0
        self.data = np.empty(0, np.uint8)

    def _make_room(self) -> None:
        tail = self.end - self.position
        if self.position > 0:
            self.data[:tail] = self.data[self.position : self.end]
        elif tail == len(self.data):
            larger = np.empty(min(2 * tail, LARGEST_RECORD + _HEADROOM), np.uint8)
            larger[:tail] = self.data
            self.data = larger
        self.base += self.position
        self.position, self.end = 0, tail
