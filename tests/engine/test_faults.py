"""What is missing from a result, a line for each thing."""

from __future__ import annotations

from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.engine.faults import faults
from tcpsnoop.engine.tally import Tally
from tcpsnoop.sources.memory import MemorySource

NONE = Verdict.UNSUPPORTED_LINK_TYPE


class Damaged(MemorySource):
    """A source that was damaged."""

    damage = "input is damaged"  # type: ignore[assignment]  # None there


def test_nothing_is_missing_from_a_whole_input() -> None:
    tally = Tally(packets=3, passed=3)
    tally.kinds.update({(Verdict.TCP, 1): 2, (NONE, 147): 1})
    assert list(faults(tally, MemorySource([]), interrupted=False)) == []
    assert list(faults(Tally(), MemorySource([]), interrupted=False)) == []


def test_interruption_and_damage() -> None:
    first, second = faults(Tally(), Damaged([]), interrupted=True)
    assert first.startswith("reading was interrupted")
    assert second == "input is damaged"


def test_an_input_of_nothing_that_is_read() -> None:
    tally = Tally(packets=4, passed=3)
    tally.kinds.update({(NONE, 147): 2, (NONE, 148): 1})
    (told,) = faults(tally, MemorySource([]), interrupted=False)
    assert told == "no packet is of a supported link type: the report is empty"


def test_an_input_of_nothing_that_can_be_filtered() -> None:
    (told,) = faults(Tally(packets=4, unfilterable=4), MemorySource([]), interrupted=False)
    assert told == "no packet is of a link type that can be filtered: the report is empty"
