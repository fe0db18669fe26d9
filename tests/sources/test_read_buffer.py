"""The read buffer: nothing is lost, and it grows only for a record that is larger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.sources.hopping import LARGEST_RECORD
from tcpsnoop.sources.read_buffer import ReadBuffer
from tests.sources.reading import Pieces

CONTENT = bytes(range(256)) * 40


@given(
    capacity=st.integers(4, 300),
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=200),
    taken=st.lists(st.integers(0, 300), min_size=1, max_size=200),
)
def test_every_byte_once_and_in_order(capacity: int, sizes: list[int], taken: list[int]) -> None:
    buffer = ReadBuffer(Pieces(CONTENT, sizes), capacity)
    found = b""
    for count in [*taken, *[capacity] * len(CONTENT)]:
        assert buffer.offset == len(found)
        part = buffer.unread(count)
        found += part
        buffer.position += len(part)
        if buffer.exhausted and buffer.position == buffer.end:
            break
        assert buffer.fill(0)
    assert found == CONTENT


def test_it_grows_when_what_is_unread_fills_it() -> None:
    buffer = ReadBuffer(Pieces(CONTENT), 64)
    sizes = []
    while not buffer.exhausted:
        buffer.fill(0)
        sizes.append(len(buffer.data))
    assert sizes[:4] == [64, 128, 256, 512]
    assert buffer.unread(len(CONTENT)) == CONTENT


def test_it_has_room_for_the_largest_record() -> None:
    buffer = ReadBuffer(Pieces(bytes(2 * LARGEST_RECORD)), 3 * LARGEST_RECORD // 4)
    buffer.fill(0)
    buffer.fill(0)
    assert LARGEST_RECORD + 28 <= len(buffer.data) < LARGEST_RECORD + 10_000
    assert buffer.end == len(buffer.data)


def test_it_does_not_grow_while_it_is_emptied() -> None:
    buffer = ReadBuffer(Pieces(CONTENT), 64)
    for _ in range(len(CONTENT)):
        buffer.fill(0)
        buffer.position = buffer.end - 1  # a byte is left each time
    assert buffer.exhausted
    assert len(buffer.data) == 64


def test_released_it_holds_nothing() -> None:
    buffer = ReadBuffer(Pieces(CONTENT), 64)
    buffer.fill(0)
    buffer.release()
    assert (len(buffer.data), buffer.unread(10)) == (0, b"")


class Timed:
    """A stream of pieces that notes how long each was waited for."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = list(sizes)
        self.timeouts: list[float] = []

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """The next piece; none when there is none left."""
        self.timeouts.append(timeout)
        return self.sizes.pop(0) if self.sizes else None


def test_more_is_waited_for_only_behind_a_writer_who_is_ahead() -> None:
    slow = Timed(100, 65_535)
    assert ReadBuffer(slow, 1 << 20).fill(5.0)
    assert slow.timeouts == [5.0, 0.0, 0.0]
    ahead = Timed(65_536, 65_536, 10)
    assert ReadBuffer(ahead, 1 << 20).fill(5.0)
    first, *later, last = ahead.timeouts
    assert (first, last) == (5.0, 0.0)
    assert all(0 < timeout < 0.01 for timeout in later)
