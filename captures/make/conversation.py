"""A TCP connection played segment by segment: sequence numbers, clock and headers keep themselves.

    talk = Conversation(CLIENT, SERVER)
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)

A segment that the capture missed is sent with `seen=False`: it moves the numbers, not the capture.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from captures.make.capture import Packet
from captures.make.frames import ACK, FIN, SYN, Endpoint, ip, tcp
from captures.make.link_headers import CLIENT_MAC, SERVER_MAC, ethernet

START_NS = 1_154_433_600_000_000_000  # 2006-08-01 12:00:00 UTC, the summer of the originals
STEP_US = 200

CLIENT = Endpoint("192.0.2.10", 49152)  # addresses for documentation: RFC 5737, RFC 3849
SERVER = Endpoint("198.51.100.20", 8080)
CLIENT_6 = Endpoint("2001:db8::10", 49152)
SERVER_6 = Endpoint("2001:db8:1::20", 8080)

MAXIMUM_SEGMENT = struct.pack(">BBH", 2, 4, 1460)
SACK_PERMITTED = b"\x04\x02"
NO_OPERATION = b"\x01"
WINDOW_SCALE = NO_OPERATION + b"\x03\x03\x07"

Link = Callable[[bytes, bool], bytes]
"""Puts a link header before an IP packet; told whether the originator sent it."""


def on_ethernet(packet: bytes, from_originator: bool) -> bytes:
    """The plainest link: Ethernet between two stations."""
    if from_originator:
        return ethernet(packet, source=CLIENT_MAC, destination=SERVER_MAC)
    return ethernet(packet, source=SERVER_MAC, destination=CLIENT_MAC)


@dataclass(frozen=True)
class Path:
    """One sight of every packet: how it is framed, how late, and with which TTL."""

    link: Link = on_ethernet
    after_ns: int = 0
    ttl: int = 64


class Conversation:
    """Two ends, one clock, and the packets captured so far; each path captures every segment."""

    def __init__(
        self,
        originator: Endpoint = CLIENT,
        responder: Endpoint = SERVER,
        *,
        start_ns: int = START_NS,
        paths: Sequence[Path] = (Path(),),
        initial_sequences: tuple[int, int] = (1_000_000_000, 3_000_000_000),
        timestamps: bool = True,
    ) -> None:
        self.clock_ns = start_ns
        self.paths = paths
        self.timestamps = timestamps
        self.packets: list[Packet] = []
        self.originator = End(self, originator, initial_sequences[0], identification=0x1000)
        self.responder = End(self, responder, initial_sequences[1], identification=0x8000)

    def wait(self, *, us: int) -> None:
        """Let time pass before the next segment."""
        self.clock_ns += us * 1000

    def overtake(self, *, after_us: int) -> None:
        """Let the last packet overtake the one before it, which now comes after it."""
        self.wait(us=after_us)
        overtaken = self.packets.pop(-2)
        self.packets.append(replace(overtaken, time_ns=self.clock_ns))

    def renew(self, initial_sequences: tuple[int, int]) -> None:
        """Use the same ports again: the next segments belong to a new connection."""
        self.originator.next, self.responder.next = initial_sequences


class End:
    """One end of a conversation; `next` is its next sequence number, not yet modulo 2^32."""

    def __init__(
        self, talk: Conversation, endpoint: Endpoint, initial_sequence: int, *, identification: int
    ) -> None:
        self.talk = talk
        self.endpoint = endpoint
        self.next = initial_sequence
        self.identification = identification
        self.timestamp = 0

    @property
    def peer(self) -> End:
        """The other end."""
        talk = self.talk
        return talk.responder if self is talk.originator else talk.originator

    def sends(
        self,
        flags: int,
        payload: bytes = b"",
        *,
        after_us: int = STEP_US,
        sequence: int | None = None,
        acknowledgment: int | None = None,
        window: int = 65535,
        seen: bool = True,
        declared: int | None = None,
    ) -> None:
        """Send a segment: the next in order, acknowledging all that the peer sent, unless told.

        `declared` forges the length field of IP.
        """
        talk, peer = self.talk, self.peer
        talk.wait(us=after_us)
        number = self.next if sequence is None else sequence
        answered = peer.next if acknowledgment is None else acknowledgment
        segment = tcp(
            self.endpoint,
            peer.endpoint,
            flags=flags,
            sequence=number,
            acknowledgment=answered if flags & ACK else 0,
            window=window,
            options=self._options(flags),
            payload=payload,
        )
        self.next = max(self.next, number + len(payload) + bool(flags & SYN) + bool(flags & FIN))
        self.identification += 1
        if seen:
            for path in talk.paths:
                self._captured(path, segment, len(payload), declared)

    def _captured(self, path: Path, segment: bytes, payload: int, declared: int | None) -> None:
        from_originator = self is self.talk.originator
        packet = ip(
            self.endpoint,
            self.peer.endpoint,
            segment,
            identification=self.identification,
            ttl=path.ttl,
            declared=declared,
        )
        self.talk.packets.append(
            Packet(
                self.talk.clock_ns + path.after_ns,
                path.link(packet, from_originator),
                payload_bytes=payload,
                from_originator=from_originator,
            )
        )

    def _options(self, flags: int) -> bytes:
        if not self.talk.timestamps:
            return MAXIMUM_SEGMENT if flags & SYN else b""
        self.timestamp = self.talk.clock_ns // 1_000_000 & 0xFFFFFFFF
        echoed = self.peer.timestamp if flags & ACK else 0
        stamps = struct.pack(">BBII", 8, 10, self.timestamp, echoed)
        if flags & SYN:
            return MAXIMUM_SEGMENT + SACK_PERMITTED + stamps + WINDOW_SCALE
        return 2 * NO_OPERATION + stamps
