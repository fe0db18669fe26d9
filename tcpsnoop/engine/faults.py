"""What is missing from the result of a reading: lines for the user, and the exit status 1."""

from __future__ import annotations

from collections.abc import Iterator

from tcpsnoop.engine.tally import Tally
from tcpsnoop.interfaces.source import PacketSource


def faults(tally: Tally, source: PacketSource, *, interrupted: bool) -> Iterator[str]:
    """A line for each thing that is missing; `interrupted` before the end of a file."""
    if interrupted:
        yield "reading was interrupted: the rest of the input is missing"
    if source.damage is not None:
        yield source.damage
    if tally.passed > 0 and sum(tally.unsupported.values()) == tally.passed:
        yield "no packet is of a supported link type: the report is empty"
    elif tally.unfilterable and tally.unfilterable == tally.packets:
        yield "no packet is of a link type that can be filtered: the report is empty"
