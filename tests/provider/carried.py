"""What the two ends of a conversation carried, in short."""

from __future__ import annotations

from tests.provider.talk import CLIENT, SERVER, Wire
from tests.provider.tracked import Counts, track

HANDSHAKE = {"a": 2, "b": 1}  # segments that each end sent


def sent_by(wire: Wire, end: str) -> tuple[int, int, int, int]:
    """Segments, unique, retransmitted and probe bytes of the client (a) or the server (b)."""
    totals = track(wire.sent, "closed")[-1].totals
    assert totals is not None
    counts: Counts = totals.rx if end == "a" else totals.tx
    unique = counts.payload - counts.retransmitted - counts.probe
    return counts.segments - HANDSHAKE[end], unique, counts.retransmitted, counts.probe


def writes(wire: Wire) -> list[tuple[str, int | None]]:
    """Who wrote, and how much."""
    names = {str(CLIENT): "a", str(SERVER): "b"}
    return [(names[each.left], each.bytes) for each in track(wire.sent, "write")]
