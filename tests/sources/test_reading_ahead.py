"""Reading ahead: the same bytes as without, while nobody asks for them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.sources.reading_ahead import THREAD, AheadBuffer
from tcpsnoop.sources.stream import PIPE_BYTES, Descriptor
from tests.sources.reading import Pieces

CONTENT = bytes(range(256)) * 40


class Hesitant(Pieces):
    """Gives nothing where a size is 0."""

    def __init__(self, content: bytes, sizes: Sequence[int]) -> None:
        super().__init__(content, [size for size in sizes if size > 0])
        self._pauses = [size == 0 for size in sizes]

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """See Pieces; None for a pause."""
        if self._pauses and self._pauses.pop():
            return None
        return super().readinto(view, timeout)


def threads() -> int:
    return sum(thread.name == THREAD for thread in threading.enumerate())


@given(
    capacity=st.integers(4, 300),
    headroom=st.integers(0, 300),
    sizes=st.lists(st.integers(0, 100), min_size=1, max_size=200),
    taken=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 200)), min_size=1, max_size=200),
)
def test_every_byte_once_and_in_order(
    capacity: int, headroom: int, sizes: list[int], taken: list[tuple[int, int]]
) -> None:
    buffer = AheadBuffer(Hesitant(CONTENT, sizes), capacity, headroom)
    found = b""
    for count, enough in [*taken, *[(capacity, 1000)] * len(CONTENT)]:
        assert buffer.offset == len(found)
        part = buffer.unread(count)
        assert buffer.data[buffer.position :][: len(part)].tobytes() == part
        found += part
        buffer.position += len(part)
        if buffer.exhausted and buffer.position == buffer.end:
            break
        before = buffer.base + buffer.end
        assert buffer.fill(10, enough)
        assert buffer.base + buffer.end - before <= enough or threads() == 0
    assert found == CONTENT
    buffer.release()
    assert threads() == 0


def test_a_record_that_is_larger_than_the_headroom_ends_it() -> None:
    buffer = AheadBuffer(Pieces(CONTENT, [50] * 300), 100, 10)
    while not buffer.exhausted:
        assert buffer.fill(10)
    assert (buffer.offset, buffer.unread(len(CONTENT) + 1)) == (0, CONTENT)
    assert threads() == 0


def test_the_writer_goes_on_while_nobody_asks() -> None:
    capacity = 2 * PIPE_BYTES
    reading, writing = os.pipe()
    stream = Descriptor(reading, owned=False)
    buffer = AheadBuffer(stream, capacity)
    content = bytes(2 * capacity)  # two rooms hold it, a pipe does not
    writer = threading.Thread(target=os.write, args=(writing, content))
    os.write(writing, b"a")
    assert buffer.fill(10)
    writer.start()
    writer.join(10)
    assert not writer.is_alive()
    os.close(writing)
    while not buffer.exhausted:
        buffer.position = buffer.end
        assert buffer.fill(10)
    assert buffer.base + buffer.end == 1 + len(content)
    buffer.release()
    os.close(reading)


def test_silence_is_waited_for_no_longer_than_asked() -> None:
    reading, writing = os.pipe()
    buffer = AheadBuffer(Descriptor(reading, owned=False))
    began = time.monotonic()
    assert not buffer.fill(0)
    assert not buffer.fill(0.05)
    assert 0.05 <= time.monotonic() - began < 1
    os.write(writing, b"abc")
    assert buffer.fill(10)
    assert buffer.unread(10) == b"abc"
    buffer.release()
    assert threads() == 0
    for descriptor in (reading, writing):
        os.close(descriptor)


class Failing(Pieces):
    """Cannot be read beyond its content."""

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """See Pieces; MemoryError at the end."""
        count = super().readinto(view, timeout)
        if count == 0:
            raise MemoryError("no more")
        return count


def test_what_reading_raises_is_raised_where_it_is_asked_for() -> None:
    buffer = AheadBuffer(Failing(b"abc"))
    assert buffer.fill(10)
    assert (buffer.unread(10), buffer.exhausted) == (b"abc", False)
    with pytest.raises(MemoryError, match="no more"):
        buffer.fill(10)
    buffer.release()
    assert threads() == 0


def test_nor_is_it_lost_behind_a_record_that_is_larger_than_the_headroom() -> None:
    buffer = AheadBuffer(Failing(CONTENT[:150]), 100, 10)
    while buffer.base + buffer.end < 150:
        assert buffer.fill(10)
    assert not buffer.exhausted
    with pytest.raises(MemoryError, match="no more"):
        buffer.fill(10)
    assert buffer.unread(200) == CONTENT[:150]
    buffer.release()


def test_released_before_it_began() -> None:
    buffer = AheadBuffer(Pieces(CONTENT))
    buffer.release()
    assert (len(buffer.data), buffer.unread(10), threads()) == (0, b"", 0)
