"""Reading ahead gives what reading at once gives, passes errors on, and stops when it is told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.engine.intake import Intake
from tcpsnoop.engine.reader import DirectReader, Reader, ThreadedReader, make_reader
from tcpsnoop.errors import CaptureError
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.savefile import open_savefile
from tests.fixture_types import Capture

FRAMES = [bytes(14)] * 1000


def packets(reader: Reader, source: PacketSource) -> list[int]:
    """The numbers of the packets of all segments, with the batches given back."""
    found: list[int] = []
    while not reader.ended:
        batch = reader.next(5.0)
        if batch is not None:
            found += batch.segments["packet"].tolist()
            reader.done_with(batch)
    reader.close()
    source.close()
    return found


@pytest.mark.parametrize("make", [DirectReader, ThreadedReader])
def test_both_give_all_segments_in_order(
    capture: Capture, make: Callable[[Intake], Reader]
) -> None:
    """Of batches of seven packets: more of them than can be read ahead."""
    source = open_savefile(str(capture("accepts.pcap")), batch_size=7)
    assert packets(make(Intake(source)), source) == list(range(1, 111))


class Failing(MemorySource):
    """A source that breaks after its first batch."""

    def read(self, timeout: float) -> PacketBatch | None:
        if self._delivered:
            raise CaptureError("broken")
        return super().read(timeout)


@pytest.mark.parametrize("make", [DirectReader, ThreadedReader])
def test_what_reading_raises_comes_after_what_was_read(make: Callable[[Intake], Reader]) -> None:
    reader = make(Intake(Failing(FRAMES, batch_size=10)))
    assert reader.next(5.0) is not None
    with pytest.raises(CaptureError, match="broken"):
        reader.next(5.0)
    reader.close()


@pytest.mark.parametrize("make", [DirectReader, ThreadedReader])
def test_waiting_ends_in_time_and_so_does_closing(make: Callable[[Intake], Reader]) -> None:
    """Nobody writes into the pipe."""
    reading, writing = os.pipe()
    source = open_savefile("-", standard_input=reading)
    reader = make(Intake(source))
    began = time.monotonic()
    assert reader.next(0.05) is None
    assert not reader.ended
    reader.close()
    assert time.monotonic() - began < 2
    os.close(writing)
    os.close(reading)


def test_closing_ends_the_thread_whatever_is_left_to_read() -> None:
    before = threading.active_count()
    reader = ThreadedReader(Intake(MemorySource(FRAMES, batch_size=1)))
    assert reader.next(5.0) is not None
    reader.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("ahead", "threads", "expected"),
    [(True, "2", ThreadedReader), (True, "1", DirectReader), (False, "2", DirectReader)],
)
def test_a_thread_only_where_it_helps(
    monkeypatch: pytest.MonkeyPatch, ahead: bool, threads: str, expected: type
) -> None:
    monkeypatch.setenv("TCPSNOOP_THREADS", threads)
    reader = make_reader(Intake(MemorySource([])), ahead=ahead)
    assert isinstance(reader, expected)
    reader.close()


def test_a_single_core_gets_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TCPSNOOP_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert isinstance(make_reader(Intake(MemorySource([])), ahead=True), DirectReader)


def test_clipped_packets_are_counted(capture: Capture) -> None:
    for make in (DirectReader, ThreadedReader):
        source = open_savefile(str(capture("length-beyond-frame.pcap")))
        reader: Reader = make(Intake(source))
        packets(reader, source)
        assert reader.clipped > 0
