"""Segments in readable words: sequence numbers, identifications and the clock keep themselves.

    wire = Wire()
    talk = wire.talk()
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.ack()
    talk.a.push(100)

`wire.sent` is then what a capture shows, `rows(wire.sent)` the same as a SegmentBatch. A segment
that the capture missed is sent with `seen=False`: it moves the numbers, not the capture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.flows import flow_keys, flow_of
from tcpsnoop.batches.segments import (
    ACK,
    FIN,
    OPTION_SACK,
    OPTION_TIMESTAMPS,
    PUSH,
    RST,
    SEGMENT,
    SIDE_UNKNOWN,
    SYN,
    SegmentBatch,
)

START_NS = 1_147_507_200_000_000_000  # 2006-05-13 08:00:00 UTC
STEP_US = 200
WINDOW = 8192
MODULUS = 1 << 32


class Endpoint(NamedTuple):
    """One end of a connection."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address} {self.port}"


CLIENT = Endpoint("192.0.2.10", 49152)
SERVER = Endpoint("198.51.100.20", 80)
CLIENT_6 = Endpoint("2001:db8::10", 49152)
SERVER_6 = Endpoint("2001:db8:1::20", 80)


@dataclass(frozen=True)
class Sent:
    """A captured segment; `payload` None: its length is not known; `tsval` None: no timestamps."""

    source: Endpoint
    destination: Endpoint
    flags: int
    sequence: int
    acknowledgment: int = 0
    payload: int | None = 0
    window: int = WINDOW
    time_ns: int = START_NS
    ip_id: int = 0
    ttl: int = 64
    path: int = 0
    side: int = SIDE_UNKNOWN
    fingerprint: int = 0
    tsval: int | None = None
    tsecr: int = 0
    sack: bool = False  # says that bytes above its acknowledgment have come


class Wire:
    """A clock and what was captured so far, of one conversation or several."""

    def __init__(self) -> None:
        self.time_ns = START_NS
        self.sent: list[Sent] = []

    def talk(
        self,
        a: Endpoint = CLIENT,
        b: Endpoint = SERVER,
        *,
        isn: tuple[int, int] = (1_000, 5_000),
        side: int = SIDE_UNKNOWN,
    ) -> Talk:
        """A conversation; `isn` are the numbers of its SYNs, `side` that of what `a` sends."""
        return Talk(self, a, b, isn, side)

    def wait(self, *, us: float) -> None:
        """Let time pass."""
        self.time_ns += round(us * 1000)

    def again(self, sent: Sent | None = None, *, after_us: float = STEP_US, **changed: Any) -> Sent:
        """Capture the last segment, or this one, once more, with fields changed."""
        self.wait(us=after_us)
        copy = replace(sent or self.sent[-1], time_ns=self.time_ns, **changed)
        self.sent.append(copy)
        return copy

    def overtake(self) -> None:
        """Let the last segment come before the one before it."""
        self.sent[-2:] = self.sent[:-3:-1]


class Talk:
    """Two ends that talk; `a` begins as a rule."""

    def __init__(
        self, wire: Wire, a: Endpoint, b: Endpoint, isn: tuple[int, int], side: int
    ) -> None:
        self.wire = wire
        self.a = End(wire, a, isn[0], side)
        self.b = End(wire, b, isn[1], {1: 2, 2: 1}.get(side, side))
        self.a.peer, self.b.peer = self.b, self.a

    def renew(self, isn: tuple[int, int]) -> None:
        """Use the same ports again: the next SYNs have these numbers."""
        self.a.next, self.b.next = isn

    def handshake(self) -> None:
        """SYN, SYN|ACK, ACK."""
        self.a.syn()
        self.b.syn_ack()
        self.a.ack()

    def close(self) -> None:
        """FIN of each end, each acknowledged."""
        self.a.fin()
        self.b.ack()
        self.b.fin()
        self.a.ack()


class End:
    """One end; `next` is its next sequence number, not yet modulo 2^32."""

    peer: End

    def __init__(self, wire: Wire, endpoint: Endpoint, isn: int, side: int) -> None:
        self.wire = wire
        self.endpoint = endpoint
        self.next = isn
        self.side = side
        self.window = WINDOW
        self.identification = 0

    def sends(
        self,
        flags: int,
        payload: int | None = 0,
        *,
        sequence: int | None = None,
        acknowledgment: int | None = None,
        after_us: float = STEP_US,
        seen: bool = True,
        **fields: Any,
    ) -> Sent:
        """Send a segment: the next in order, acknowledging all that the peer sent, unless told."""
        self.wire.wait(us=after_us)
        number = self.next if sequence is None else sequence
        answered = self.peer.next if acknowledgment is None else acknowledgment
        length = (payload or 0) + bool(flags & SYN) + bool(flags & FIN)
        if not flags & RST:
            self.next = max(self.next, number + length)
        self.identification = self.identification % 0xFFFF + 1
        is_ipv4 = "." in self.endpoint.address
        sent = Sent(
            self.endpoint,
            self.peer.endpoint,
            flags,
            number % MODULUS,
            answered % MODULUS if flags & ACK else 0,
            payload,
            time_ns=self.wire.time_ns,
            side=self.side,
            window=self.window,
            ip_id=self.identification if is_ipv4 else 0,
        )
        sent = replace(sent, **fields)
        if seen:
            self.wire.sent.append(sent)
        return sent

    def syn(self, payload: int = 0, **how: Any) -> Sent:
        """SYN, perhaps with data (Fast Open)."""
        return self.sends(SYN, payload, **how)

    def syn_ack(self, **how: Any) -> Sent:
        """SYN|ACK."""
        return self.sends(SYN | ACK, **how)

    def ack(self, acknowledgment: int | None = None, **how: Any) -> Sent:
        """An ACK without data."""
        return self.sends(ACK, acknowledgment=acknowledgment, **how)

    def data(self, payload: int, **how: Any) -> Sent:
        """Data without PUSH."""
        return self.sends(ACK, payload, **how)

    def push(self, payload: int, **how: Any) -> Sent:
        """Data with PUSH."""
        return self.sends(ACK | PUSH, payload, **how)

    def fin(self, payload: int = 0, **how: Any) -> Sent:
        """FIN, perhaps with data."""
        return self.sends(ACK | FIN, payload, **how)

    def rst(self, **how: Any) -> Sent:
        """RST."""
        return self.sends(RST | ACK, **how)


_ETHERNET_IP_TCP = 54  # bytes of headers


def rows(sent: Iterable[Sent], first_packet: int = 1) -> SegmentBatch:
    """The segments as a batch, packets numbered one after the other."""
    captured = list(sent)
    batch = np.zeros(len(captured), SEGMENT)
    for index, each in enumerate(captured):
        row = batch[index]
        row["packet"], row["frame"], row["interface"] = first_packet + index, index, 0
        row["time_ns"] = row["clock_ns"] = each.time_ns
        row["source_high"], row["source_low"] = halves(each.source.address)
        row["destination_high"], row["destination_low"] = halves(each.destination.address)
        row["source_port"], row["destination_port"] = each.source.port, each.destination.port
        row["payload"] = -1 if each.payload is None else each.payload
        row["frame_bytes"] = _ETHERNET_IP_TCP + (each.payload or 0)
        row["digits"] = 6
        for name in ("flags", "sequence", "acknowledgment", "window", "ip_id", "ttl"):
            row[name] = getattr(each, name)
        for name in ("path", "side", "fingerprint"):
            row[name] = getattr(each, name)
        if each.tsval is not None:
            row["tsval"], row["tsecr"] = each.tsval, each.tsecr
            row["options"] |= OPTION_TIMESTAMPS
        if each.sack:
            row["options"] |= OPTION_SACK
    return with_flows(batch)


def with_flows(batch: SegmentBatch) -> SegmentBatch:
    """The batch, in which the ends of each segment have their hash."""
    for row in batch:
        row["flow"] = flow_of(row, flow_keys())
    return batch


def many_talks(wire: Wire, count: int) -> Iterator[Talk]:
    """Conversations whose keys differ in one thing from another: a port, a half of an address."""
    for index in range(count):
        address = f"2001:db8:{index % 7}::{index // 7 % 5}"
        yield wire.talk(Endpoint(address, 1024 + index // 35), SERVER_6)
