"""Captures with chosen ends and times, for tests of options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from captures.make.capture import Packet, by_time
from captures.make.conversation import Conversation
from captures.make.files import SECOND_NS, pcap_bytes
from captures.make.frames import ACK, FIN, PUSH, SYN, Endpoint

NOON = 1_154_433_600  # 2006-08-01 12:00:00 UTC
STEP = 0.001  # seconds between the segments of a visit
SEGMENTS = 9  # of a whole visit
REQUEST, ANSWER = 10, 20  # bytes of its two writes


def visit(
    at: float,
    *,
    client: str = "192.0.2.10",
    client_port: int = 49152,
    server: str = "198.51.100.20",
    port: int = 8080,
    segments: int = SEGMENTS,
) -> list[Packet]:
    """A connection whose SYN comes `at` seconds after noon; its first `segments` segments."""
    talk = Conversation(
        Endpoint(client, client_port),
        Endpoint(server, port),
        start_ns=round((NOON + at - STEP) * 1_000_000) * 1000,
    )
    said = (
        (talk.originator, SYN, 0),
        (talk.responder, SYN | ACK, 0),
        (talk.originator, ACK, 0),
        (talk.originator, PUSH | ACK, REQUEST),
        (talk.responder, PUSH | ACK, ANSWER),
        (talk.originator, ACK, 0),
        (talk.originator, FIN | ACK, 0),
        (talk.responder, FIN | ACK, 0),
        (talk.originator, ACK, 0),
    )
    assert len(said) == SEGMENTS
    for end, flags, size in said[:segments]:
        end.sends(flags, bytes(size), after_us=round(STEP * 1_000_000))
    return talk.packets


def write(path: Path, *conversations: Sequence[Packet]) -> Path:
    """A capture of all of them, by time."""
    path.write_bytes(pcap_bytes(by_time(*conversations)))
    return path


def seconds(packets: Sequence[Packet]) -> list[float]:
    """Their times after noon."""
    return [packet.time_ns / SECOND_NS - NOON for packet in packets]
