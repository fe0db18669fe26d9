"""Reading ahead gives what reading at once gives, passes errors on, and stops when it is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tcpsnoop.batches.packets import PacketBatch
from tcpsnoop.engine.crew import Crew
from tcpsnoop.engine.intake import Intake
from tcpsnoop.engine.reader import DISSECTORS, AheadReader, DirectReader, Reader, make_reader
from tcpsnoop.errors import CaptureError
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.savefile import open_savefile
from tests.fixture_types import Capture

FRAMES = [bytes(14)] * 1000
MakeReader = Callable[[Intake], Reader]


@pytest.fixture(params=[None, 0, 1], ids=["direct", "ahead, by who waits", "ahead, by a helper"])
def make(request: pytest.FixtureRequest) -> Iterator[MakeReader]:
    """Makes a reader of either kind."""
    if request.param is None:
        yield lambda intake: make_reader(intake, None)
        return
    with Crew(request.param) as crew:
        yield lambda intake: make_reader(intake, crew)


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


def test_both_give_all_segments_in_order(capture: Capture, make: MakeReader) -> None:
    """Of batches of seven packets: more of them than can be read ahead."""
    source = open_savefile(str(capture("accepts.pcap")), batch_size=7)
    assert packets(make(Intake(source)), source) == list(range(1, 111))


class Failing(MemorySource):
    """A source that breaks after its first batch."""

    def read(self, timeout: float) -> PacketBatch | None:
        if self._delivered:
            raise CaptureError("broken")
        return super().read(timeout)


def test_what_reading_raises_comes_after_what_was_read(make: MakeReader) -> None:
    reader = make(Intake(Failing(FRAMES, batch_size=10)))
    assert reader.next(5.0) is not None
    with pytest.raises(CaptureError, match="broken"):
        reader.next(5.0)
    reader.close()


def test_waiting_ends_in_time_and_so_does_closing(make: MakeReader) -> None:
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


def test_closing_ends_reading_whatever_is_left() -> None:
    """What is being read then is read before it returns."""
    with Crew(1) as crew:
        reader = AheadReader(Intake(MemorySource(FRAMES, batch_size=1)), crew)
        assert reader.next(5.0) is not None
        reader.close()
        assert not reader.can_step


def test_no_more_is_read_ahead_than_there_is_room_for() -> None:
    with Crew(0) as crew:
        reader = AheadReader(Intake(MemorySource(FRAMES, batch_size=1)), crew)
        while reader.can_step:
            reader.step()
        given = [reader.next(0.0) for _ in range(DISSECTORS)]
        assert None not in given
        assert reader.next(0.0) is None
        assert not reader.ended
        assert given[0] is not None
        reader.done_with(given[0])
        assert reader.next(1.0) is not None
        reader.close()


def test_ahead_only_where_somebody_does_it() -> None:
    intake = Intake(MemorySource([]))
    assert isinstance(make_reader(intake, None), DirectReader)
    assert isinstance(make_reader(intake, Crew(1)), AheadReader)


def test_clipped_packets_are_counted(capture: Capture, make: MakeReader) -> None:
    source = open_savefile(str(capture("length-beyond-frame.pcap")))
    reader = make(Intake(source))
    packets(reader, source)
    assert reader.clipped > 0
