"""A read buffer that a thread fills ahead of who reads it, so that a pipe is never left full.

A program that writes into a pipe stands still while the pipe is full, and a pipe holds a quarter of
a batch. So a thread does nothing but read, into two rooms in turn: while the packets of one are
dissected the other is filled, and nothing is copied but the record that begins in one and ends in
the other.
"""

from __future__ import annotations

import itertools
import threading
import time

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.sources.hopping import LARGEST_RECORD
from tcpsnoop.sources.read_buffer import (
    AHEAD,
    CAPACITY,
    LINGER,
    ByteStream,
    ReadBuffer,
)

THREAD = "reading ahead"

# How long one look at the stream may last: what asks the thread to end waits so long.
_STEP_SECONDS = 0.1

# Each room begins with space for the record that began in the other one: twice the largest packet
# of Linux (BIG TCP, 512 KiB). Linux gives the memory only if there is such a record.
HEADROOM = 1024 * 1024


class _Room:
    """Bytes from `headroom` to `end` have been read into it; `closed` when no more will be."""

    def __init__(self, headroom: int, capacity: int) -> None:
        self.data: NDArray[np.uint8] = np.empty(headroom + capacity, np.uint8)
        self.end = headroom
        self.closed = False


class AheadBuffer(ReadBuffer):
    """See ReadBuffer. The thread begins with the first `fill`, and ends with `release`.

    A record that is larger than `headroom` ends the reading ahead: whoever sends such can wait.
    """

    def __init__(
        self, stream: ByteStream, capacity: int = CAPACITY, headroom: int = HEADROOM
    ) -> None:
        super().__init__(stream, 0)
        self._headroom = headroom
        self._rooms: tuple[_Room, ...] = tuple(_Room(headroom, capacity) for _ in range(2))
        self._left = 0  # rooms that were read to their end: the next one is read now
        self._enough = 0  # so much behind `end` is waited for
        self._writer_ahead = False
        self._stop = False
        self._ended = False  # of the stream
        self._failure: BaseException | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._alone = False  # without the thread from now on
        self._stand_in(self._rooms[0].data, headroom, headroom)

    def fill(self, timeout: float, enough: int = LARGEST_RECORD) -> bool:
        """See ReadBuffer; raises what reading raised."""
        deadline = time.monotonic() + timeout
        if self._thread is None and not self._alone:
            self._thread = threading.Thread(target=self._read_all, name=THREAD, daemon=True)
            self._thread.start()
        while not self._alone:
            came, closed = self._await(deadline, enough)
            self.end += came
            if came == 0 and closed:
                came = self._go_on()
            elif came == 0:
                return self.exhausted
            if came > 0:
                return True
        return super().fill(max(0.0, deadline - time.monotonic()), enough)

    def release(self) -> None:
        """See ReadBuffer; waits for the thread."""
        self._end_thread()
        super().release()

    def _await(self, deadline: float, enough: int) -> tuple[int, bool]:
        """How many bytes there are behind `end`, at most `enough`; whether the room is closed."""
        room = self._rooms[self._left % 2]
        with self._changed:
            self._enough = enough
            came = room.end - self.end
            while came < enough and not (room.closed or self._ended):
                if came > 0 and not self._writer_ahead:
                    break
                timeout = LINGER if came > 0 else deadline - time.monotonic()
                woken = timeout > 0 and self._changed.wait(timeout)
                before, came = came, room.end - self.end
                if not woken and came == before:
                    break
            came = min(came, enough)
            last = self._ended and not room.closed and self.end + came == room.end
            if self._failure is None:
                self.exhausted = last
            elif last and came == 0:
                raise self._failure
            return came, room.closed

    def _go_on(self) -> int:
        """Take what is unread along into the room that follows; how many bytes came with that."""
        tail = self.data[self.position : self.end]
        room = self._rooms[(self._left + 1) % 2]
        if len(tail) > self._headroom:
            self._end_thread()
            content = np.concatenate((tail, room.data[self._headroom : room.end]))
            self._stand_in(content, 0, len(content))
            self.exhausted = self._ended and self._failure is None
            return len(content) - len(tail)
        begin = self._headroom - len(tail)
        room.data[begin : self._headroom] = tail
        self._stand_in(room.data, begin, self._headroom)
        left = self._rooms[self._left % 2]
        with self._changed:
            left.end, left.closed = self._headroom, False
            self._left += 1
            self._changed.notify_all()
        return 0

    def _stand_in(self, data: NDArray[np.uint8], position: int, end: int) -> None:
        """Read on in other memory: what is unread begins at `position` there."""
        self.base += self.position - position
        self.data = data
        self.position, self.end = position, end

    def _end_thread(self) -> None:
        self._alone = True
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._rooms = ()

    def _read_all(self) -> None:
        """What the thread does: fill rooms until the stream ends."""
        try:
            for room in itertools.cycle(self._rooms):
                if self._stop or self._ended:
                    break
                with self._changed:
                    while room.closed and not self._stop:
                        self._changed.wait()
                self._read_into(room)
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._ended = True
                self._changed.notify_all()

    def _read_into(self, room: _Room) -> None:
        view = room.data.data
        while not (self._stop or self._ended or room.closed):
            count = self._stream.readinto(view[room.end :], _STEP_SECONDS)
            if count is None:
                continue
            with self._changed:
                room.end += count
                room.closed = room.end == len(view)
                self._ended = count == 0
                self._writer_ahead = count >= AHEAD
                # Nobody is woken for what is not enough for a batch.
                if room.end - self.end >= self._enough or room.closed or not self._writer_ahead:
                    self._changed.notify_all()
