"""Records are written in the order in which a reader needs them."""

from __future__ import annotations

import json
from typing import Any

from tcpsnoop.owners.journal.records import Clocks
from tcpsnoop.owners.journal.writer import JournalWriter
from tcpsnoop.owners.tracing.events import FORKED
from tests.owners.journal.journals import BARE, HEADER, NOON, WEB, event


class Kept:
    """What was written: pieces, each of which is whole lines."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.journal = JournalWriter(self.pieces.extend, lambda: NOON + 9)

    def kinds(self) -> list[str]:
        """The kinds of the records, in their order."""
        assert all(piece.endswith(b"\n") for piece in self.pieces)
        return [next(iter(each)) for each in self.records()]

    def records(self) -> list[dict[str, Any]]:
        """What the lines say."""
        return [json.loads(line) for line in b"".join(self.pieces).splitlines()]


def test_processes_stand_before_the_events_that_led_to_them() -> None:
    kept = Kept()
    hear = kept.journal.begin()
    hear(event(0, FORKED, 5))
    kept.journal.cgroup(77, "/a")
    kept.journal.process(WEB)
    hear(event(1, FORKED, 6))
    assert kept.pieces == []
    kept.journal.flush()
    assert kept.kinds() == ["cgroup", "process", "events", "events"]
    assert kept.records()[1]["process"]["time_ns"] == NOON + 9
    kept.journal.flush()
    assert len(kept.pieces) == 4
    assert (kept.journal.events, kept.journal.processes) == (2, 1)


def test_the_header_comes_before_what_was_heard() -> None:
    kept = Kept()
    kept.journal.begin()(event(0, FORKED, 5))
    kept.journal.header(HEADER)
    kept.journal.put([Clocks(NOON, 1, 2)])
    assert kept.kinds() == ["tcpsnoop_journal", "events", "clock"]


def test_a_record_stands_behind_the_processes_that_it_may_name() -> None:
    kept = Kept()

    def looking() -> Any:
        kept.journal.process(BARE)
        yield Clocks(NOON, 1, 2)

    kept.journal.put(looking())
    assert kept.kinds() == ["process", "clock"]


def test_what_was_heard_in_vain_is_forgotten() -> None:
    """One way to read the kernel's record was tried and did not work."""
    kept = Kept()
    kept.journal.begin()(event(0, FORKED, 5))
    kept.journal.begin()(event(1, FORKED, 6))
    kept.journal.flush()
    assert [each["events"]["pid"] for each in kept.records()] == [[6]]
    assert kept.journal.events == 1


def test_nothing_heard_is_nothing_written() -> None:
    kept = Kept()
    kept.journal.begin()(event(0, FORKED, 5)[:0])
    kept.journal.flush()
    assert kept.pieces == []
