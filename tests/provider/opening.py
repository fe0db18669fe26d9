"""What captures of handshakes fire, in short."""

from __future__ import annotations

from tests.provider.talk import Wire
from tests.provider.tracked import track

OPENING = (
    "connect-request",
    "connect-established",
    "connect-refused",
    "accept-established",
    "accept-refused",
)
OTHER = (70_000, 90_000)
"""Numbers for the next connection of the same ports."""


def opening(wire: Wire) -> list[tuple[str, int]]:
    """The probes of opening and the packets at which they fire; each from its own end."""
    fired = track(wire.sent, *OPENING)
    for each in fired:
        assert each.end == ("originator" if each.probe.startswith("connect") else "responder")
    return [(each.probe, each.packet) for each in fired]


def connections(wire: Wire) -> list[int]:
    """The connection of each segment."""
    return [each.connection for each in track(wire.sent, "send", "receive")]


def ended(wire: Wire) -> list[tuple[int, str]]:
    """Where each connection ends, and why."""
    fired = track(wire.sent, "closed")
    return [(each.packet, each.totals.end_reason) for each in fired if each.totals is not None]
