"""Notes on stderr: the rules applied, and packets that add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.engine import notes
from tcpsnoop.engine.tally import Tally
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.names.services import registered_ports
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker


def parts(tally: Tally, *, filtered: bool = False) -> dict[str, int]:
    """What the note says of packets: the words after each number."""
    line = next(notes.packets_note(tally, filtered=filtered))
    told = [part.partition(" ") for part in line.split(", ")]
    return {words: int(number.replace(",", "")) for number, _, words in told}


def test_the_rules_that_were_applied_with_their_connections() -> None:
    assert list(notes.sides_note([0, 0, 0, 1, 0, 1_234])) == [
        "local side by the direction of packets: 1 connection; "
        "not known, the responder stands at the left: 1,234 connections"
    ]


def test_each_of_the_six_rules_has_words_of_its_own() -> None:
    told = [next(notes.sides_note([rule == at for at in range(6)])) for rule in range(6)]
    assert len(set(told)) == 6
    assert "loopback" in told[0]
    assert "--local" in told[1]
    assert "not known" in told[5]


def test_the_rules_are_those_that_tracking_counts() -> None:
    tracker = Tracker([], registered_ports(), Window((), waits=False))
    assert list(notes.sides_note(tracker.rules)) == []


def test_packets_read_and_what_became_of_them() -> None:
    tally = Tally(packets=1_200_009)
    tally.kinds[Verdict.TCP, 1] = 1_200_000
    tally.kinds[Verdict.NOT_TCP, 1] = 4
    tally.kinds[Verdict.CUT_SHORT, 1] = 3
    tally.kinds[Verdict.UNSUPPORTED_LINK_TYPE, 147] = 2
    assert list(notes.packets_note(tally, filtered=False)) == [
        "1,200,009 packets read, 1,200,000 TCP, 4 not tcp, 3 cut short, 2 unsupported link type 147"
    ]


def test_one_packet_is_not_packets() -> None:
    assert next(notes.packets_note(Tally(packets=1), filtered=False)) == "1 packet read"


def test_no_packet_is_told_too() -> None:
    assert list(notes.packets_note(Tally(), filtered=False)) == ["0 packets read"]


def test_what_passed_is_told_when_there_is_a_filter_even_if_nothing_did() -> None:
    assert parts(Tally(packets=5), filtered=True) == {"packets read": 5, "passed the filter": 0}
    assert parts(Tally(packets=5)) == {"packets read": 5}


def test_what_a_filter_cannot_see_is_told() -> None:
    tally = Tally(packets=5, unfilterable=2, tagged=True)
    first, second = notes.packets_note(tally, filtered=True)
    assert "2 of a link type that libpcap cannot filter" in first
    assert "VLAN" in second


@given(
    st.lists(st.integers(0, 10**7), min_size=len(Verdict), max_size=len(Verdict)),
    st.dictionaries(st.integers(0, 300), st.integers(1, 10**7), max_size=4),
)
def test_the_numbers_add_up(counts: list[int], unsupported: dict[int, int]) -> None:
    """Every packet has one verdict: what is told of them is the packets read."""
    tally = Tally()
    tally.kinds.update({(verdict, 1): n for verdict, n in zip(Verdict, counts, strict=True) if n})
    del tally.kinds[Verdict.UNSUPPORTED_LINK_TYPE, 1]
    none = Verdict.UNSUPPORTED_LINK_TYPE
    tally.kinds.update({(none, link): number for link, number in unsupported.items()})
    tally.packets = tally.kinds.total()
    told = parts(tally)
    assert told.pop("packets read" if tally.packets != 1 else "packet read") == tally.packets
    assert sum(told.values()) == tally.packets
    assert 0 not in told.values()


@pytest.mark.parametrize(
    ("drops", "told"),
    [
        (None, []),
        (Drops(0, 0), ["0 packets dropped by kernel"]),
        (Drops(1, 0), ["1 packet dropped by kernel"]),
        (Drops(1_234, 5), ["1,234 packets dropped by kernel, 5 by the interface"]),
    ],
)
def test_drops_are_told_where_they_are_known(drops: Drops | None, told: list[str]) -> None:
    assert list(notes.drops_note(drops)) == told


def test_what_tracking_left_out() -> None:
    assert list(notes.tracking_notes(0, 0, 0)) == []
    copies, forgotten, cut = notes.tracking_notes(1, 2_000, 3)
    assert copies.startswith("1 frame ")
    assert forgotten.startswith("2,000 connections ")
    assert "--max-connections" in forgotten
    assert cut.startswith("3 packets ")
