"""Who sends what when: the packets of many TCP connections, as columns.

One host talks to many peers. Every connection is a script: SYN, SYN|ACK, ACK, then a repeating
pattern of segments, then FIN|ACK, ACK, FIN|ACK, ACK. Each acknowledgement acknowledges all that the
other side has sent, so nothing is lost, repeated or out of order. The seed decides everything.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]

FIN, SYN, PUSH, ACK = 0x01, 0x02, 0x08, 0x10
"""TCP flags (RFC 9293 3.1)."""

CLIENT, SERVER = 0, 1

HOST = 0x0A000001
"""10.0.0.1, an end of every connection."""

SERVICES = np.array([10001, 10011, 10021, 10031, 10041])
"""Ports for which tshark has no protocol decoder: it is compared on TCP alone, in its favour."""

CLIENT_PORTS = np.arange(49_152, 65_536)
"""The dynamic ports (RFC 6335 6)."""

HANDSHAKE = 3
CLOSE = 4
SECOND = 1_000_000_000


class Step(NamedTuple):
    """One segment of the repeating pattern; its payload is between the two sizes, in bytes."""

    sender: int
    smallest: int
    largest: int
    push: bool = False


CHAT = (
    Step(CLIENT, 1, 34, push=True),
    Step(SERVER, 1, 34, push=True),
    Step(CLIENT, 1, 34, push=True),
    Step(SERVER, 0, 0),
    Step(SERVER, 1, 34, push=True),
    Step(CLIENT, 0, 0),
)
"""Small segments: with the timestamp option, frames of 66 to 100 bytes."""

_BURST = (*(Step(SERVER, 1448, 1448),) * 7, Step(SERVER, 1448, 1448, push=True))
DOWNLOAD = (Step(CLIENT, 120, 400, push=True), *_BURST, Step(CLIENT, 0, 0), *_BURST)
"""Full-size frames of 1514 bytes; one acknowledgement for eight, as behind receive offload."""


@dataclass(frozen=True)
class Packets:
    """TCP segments in the order of their times, one element of every column for each."""

    time_ns: Int
    source: Int
    destination: Int
    source_port: Int
    destination_port: Int
    sequence: Int
    acknowledgment: Int
    flags: Int
    payload_bytes: Int
    timestamp: Int
    timestamp_echo: Int

    def __len__(self) -> int:
        return len(self.time_ns)

    def part(self, rows: slice | Int) -> Packets:
        """The packets of these rows."""
        return Packets(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class _Connections:
    """The two ends of each connection and their initial sequence numbers."""

    client: Int
    server: Int
    client_port: Int
    server_port: Int
    client_isn: Int
    server_isn: Int


def conversations(
    count: int, concurrent: int, pattern: tuple[Step, ...], mean_packets: int, seed: int = 1
) -> Packets:
    """`count` packets of connections of which about `concurrent` are open at any time.

    Each is followed by another one, so what is open at the last packet stays without its close.
    """
    random = np.random.default_rng(seed)
    in_a_row = int(np.ceil(1.4 * count / concurrent / mean_packets)) + 4
    spread = 0.8
    median = max(mean_packets - HANDSHAKE - CLOSE, 1) / np.exp(spread**2 / 2)
    middle = random.lognormal(np.log(median), spread, in_a_row * concurrent).astype(np.int64)
    packets_each = np.minimum(middle, 20 * mean_packets) + HANDSHAKE + CLOSE
    gap_ns = SECOND // 20
    first_ns = random.integers(0, mean_packets * gap_ns, concurrent)
    index = np.arange(len(packets_each))
    peers = different_addresses(2000)[(index + index // len(CLIENT_PORTS)) % 2000]
    ends = _ends(peers, inbound_share=2 / 3, random=random)
    connection = np.repeat(np.arange(len(packets_each)), packets_each)
    time_ns = _times(connection // in_a_row, first_ns, gap_ns, random)
    position = np.arange(len(connection)) - _first_rows(connection)[connection]
    left = packets_each[connection] - position
    script = _script(position, left, pattern, random)
    return _in_order(_segments(ends, connection, time_ns, *script), count)


def held_open(
    connections: int,
    packets_each: int,
    *,
    inbound: bool = True,
    pattern: tuple[Step, ...] = CHAT,
    seed: int = 1,
) -> Packets:
    """Connections from or to as many different addresses, none of which ever closes.

    One packet each is a SYN flood, three are the handshakes alone.
    """
    random = np.random.default_rng(seed)
    ends = _ends(different_addresses(connections), float(inbound), random)
    first_ns = random.integers(0, 10 * SECOND, connections)
    connection = np.repeat(np.arange(connections), packets_each)
    time_ns = _times(connection, first_ns, SECOND // 50, random)
    position = np.arange(len(connection)) % packets_each
    left = np.full(len(connection), CLOSE + 1)
    script = _script(position, left, pattern, random)
    return _in_order(_segments(ends, connection, time_ns, *script), len(connection))


def different_addresses(count: int) -> Int:
    """`count` different unicast IPv4 addresses outside 0/8, 10/8 and 127/8, well scattered."""
    scattered = (np.arange(count + count // 4 + 1000) * 2_654_435_761) % 2**32
    network = scattered >> 24
    usable = (network != 0) & (network != 10) & (network != 127) & (network < 224)
    return np.asarray(scattered[usable][:count], np.int64)


def _ends(peer: Int, inbound_share: float, random: np.random.Generator) -> _Connections:
    """A connection of each peer address, with the next client port."""
    count = len(peer)
    inbound = random.random(count) < inbound_share
    return _Connections(
        client=np.where(inbound, peer, HOST),
        server=np.where(inbound, HOST, peer),
        client_port=CLIENT_PORTS[np.arange(count) % len(CLIENT_PORTS)],
        server_port=SERVICES[random.integers(0, len(SERVICES), count)],
        client_isn=random.integers(0, 2**32, count),
        server_isn=random.integers(0, 2**32, count),
    )


def _first_rows(group: Int) -> Int:
    """For every group its first row; groups are numbered from 0, and their rows lie together."""
    return np.flatnonzero(np.diff(group, prepend=-1))


def _times(group: Int, first_ns: Int, mean_gap_ns: int, random: np.random.Generator) -> Int:
    """Random gaps, never negative, between the packets of a group that begins at its `first_ns`."""
    gap_ns = (random.standard_exponential(len(group), dtype=np.float32) * mean_gap_ns).astype(
        np.int64
    )
    elapsed = np.cumsum(gap_ns)
    return elapsed - elapsed[_first_rows(group)][group] + first_ns[group]


def _script(
    position: Int, left: Int, pattern: tuple[Step, ...], random: np.random.Generator
) -> tuple[Int, Int, Int]:
    """Sender, flags and payload bytes of the packets at a position, with so many left to come."""
    step = (position - HANDSHAKE) % len(pattern)
    smallest = np.array([each.smallest for each in pattern])[step]
    room = np.array([each.largest + 1 for each in pattern])[step] - smallest
    sender = np.array([each.sender for each in pattern])[step]
    flags = np.array([ACK | PUSH * each.push for each in pattern])[step]
    payload = smallest + (random.random(len(step), dtype=np.float32) * room).astype(np.int64)
    fixed = (
        (position == 0, CLIENT, SYN),
        (position == 1, SERVER, SYN | ACK),
        (position == 2, CLIENT, ACK),
        (left == 4, CLIENT, FIN | ACK),
        (left == 3, SERVER, ACK),
        (left == 2, SERVER, FIN | ACK),
        (left == 1, CLIENT, ACK),
    )
    for rows, who, what in fixed:
        sender[rows], flags[rows], payload[rows] = who, what, 0
    return sender, flags, payload


def _segments(
    ends: _Connections, connection: Int, time_ns: Int, sender: Int, flags: Int, payload: Int
) -> Packets:
    """All columns; the rows of a connection lie together and in order."""
    by_client = sender == CLIENT
    used = payload + ((flags & (SYN | FIN)) != 0)
    first = _first_rows(connection)

    def sent(who: NDArray[np.bool_]) -> Int:
        total = np.cumsum(np.where(who, used, 0)) - np.where(who, used, 0)
        return np.asarray(total - total[first][connection], np.int64)

    client_next = (ends.client_isn[connection] + sent(by_client)) % 2**32
    server_next = (ends.server_isn[connection] + sent(~by_client)) % 2**32
    acknowledged = np.where(by_client, server_next, client_next)
    timestamp = time_ns // 1_000_000 + np.where(by_client, 1 << 20, 1 << 24)
    return Packets(
        time_ns=time_ns,
        source=np.where(by_client, ends.client[connection], ends.server[connection]),
        destination=np.where(by_client, ends.server[connection], ends.client[connection]),
        source_port=np.where(by_client, ends.client_port[connection], ends.server_port[connection]),
        destination_port=np.where(
            by_client, ends.server_port[connection], ends.client_port[connection]
        ),
        sequence=np.where(by_client, client_next, server_next),
        acknowledgment=np.where(flags & ACK, acknowledged, 0),
        flags=flags,
        payload_bytes=payload,
        timestamp=timestamp,
        timestamp_echo=np.where(flags & ACK, timestamp[_last_of_other(by_client)], 0),
    )


def _last_of_other(by_client: NDArray[np.bool_]) -> Int:
    """For every row the last row before it that the other side sent."""
    row = np.arange(len(by_client))
    last_client = np.maximum.accumulate(np.where(by_client, row, 0))
    last_server = np.maximum.accumulate(np.where(by_client, 0, row))
    return np.where(by_client, last_server, last_client)


def _in_order(packets: Packets, count: int) -> Packets:
    """The first `count` packets by time; those of a connection keep their order."""
    if len(packets) < count:
        raise ValueError(f"{len(packets)} packets planned, {count} wanted")
    return packets.part(np.argsort(packets.time_ns, kind="stable")[:count])
