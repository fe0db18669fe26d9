"""Counts of verdicts, and of packets by the link types that are not supported."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.engine.tally import Tally
from tcpsnoop.sources.memory import MemorySource

USER0, USER1, ETHERNET = 147, 148, 1


def take_in(tally: Tally, verdicts: list[Verdict], link_types: list[int]) -> None:
    """Count the verdicts of as many packets of these link types."""
    source = MemorySource([b"x"] * len(verdicts), link_types=link_types)
    batch = source.read(0)
    assert batch is not None
    tally.count(np.array(verdicts, np.uint8), batch, source.interfaces)


def test_every_verdict_is_counted_in_its_own_place() -> None:
    tally = Tally()
    for times, verdict in enumerate(Verdict, start=1):
        take_in(tally, [verdict] * times, [USER0] * times)
    expected = {verdict: times for times, verdict in enumerate(Verdict, start=1)}
    assert tally.verdicts == expected
    assert tally.kinds == {(verdict, USER0): times for verdict, times in expected.items()}


def test_batches_add_up() -> None:
    tally = Tally()
    take_in(tally, [Verdict.TCP, Verdict.TCP, Verdict.NOT_IP], [ETHERNET] * 3)
    take_in(tally, [Verdict.TCP, Verdict.CUT_SHORT], [ETHERNET] * 2)
    counted = {verdict: int(tally.verdicts[verdict]) for verdict in Verdict}
    assert {verdict: count for verdict, count in counted.items() if count} == {
        Verdict.TCP: 3,
        Verdict.NOT_IP: 1,
        Verdict.CUT_SHORT: 1,
    }
    assert not tally.unsupported


def test_packets_are_counted_by_the_link_type_that_is_not_supported() -> None:
    tally = Tally()
    none = Verdict.UNSUPPORTED_LINK_TYPE
    take_in(tally, [Verdict.TCP, none, none, none], [ETHERNET, USER1, USER0, USER1])
    take_in(tally, [none], [USER0])
    assert tally.unsupported == {USER0: 2, USER1: 2}
    assert tally.verdicts[none] == 4


def test_interfaces_of_one_link_type_are_counted_together() -> None:
    tally = Tally()
    source = MemorySource([b"x"] * 3)
    batch = source.read(0)
    assert batch is not None
    batch.interface[:] = [0, 1, 1]
    two = [CaptureInterface(USER0, name="first"), CaptureInterface(USER0, name="second")]
    tally.count(np.full(3, Verdict.UNSUPPORTED_LINK_TYPE, np.uint8), batch, two)
    assert tally.unsupported == {USER0: 3}


def test_runs_do_not_share_their_counts() -> None:
    first, second = Tally(), Tally()
    take_in(first, [Verdict.UNSUPPORTED_LINK_TYPE], [USER0])
    assert (second.kinds, second.verdicts, second.unsupported) == ({}, {}, {})
