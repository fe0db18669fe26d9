"""Verdicts in words, and the numbers that kernels use."""

from __future__ import annotations

from tcpsnoop.batches import verdicts
from tcpsnoop.batches.verdicts import Verdict


def test_the_labels_are_those_of_the_specification() -> None:
    assert {verdict.label for verdict in Verdict} == {
        "tcp",
        "not ip",
        "not tcp",
        "fragment",
        "icmp error",
        "cut short",
        "bad length",
        "unsupported link type",
        "encrypted",
        "nested too deep",
    }


def test_kernels_use_the_same_numbers() -> None:
    for verdict in Verdict:
        number = getattr(verdicts, verdict.name)
        assert (number, type(number)) == (int(verdict), int)
