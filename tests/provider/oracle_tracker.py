"""Connections and probes, one segment at a time, in plain Python (SEMANTICS 4 to 7, and 9).

Its reading where SEMANTICS leaves a choice: `closed` fires when both FINs are acknowledged, at a
RST, or when the connection is evicted, its ports are used again or the input ends; with the totals
up to then. Other readings are told in oracle_connection.py and oracle_bytes.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpsnoop.batches.segments import ACK, FIN, RST
from tests.provider.oracle_bytes import Direction
from tests.provider.oracle_connection import Connection, begins, handshake, is_copy
from tests.provider.oracle_rows import fire, fire_closed
from tests.provider.oracle_sides import OracleSides
from tests.provider.talk import Endpoint, Sent
from tests.provider.tracked import Fired


class Oracle:
    """All connections of a capture, at most `capacity` at a time."""

    def __init__(self, local: Sequence[str] = (), capacity: int = 256) -> None:
        self.rules: list[int] = []
        self.duplicates = self.evicted = self.met = 0
        self._local = local
        self._capacity = capacity
        self._live: dict[frozenset[Endpoint], Connection] = {}
        self._clock = 0

    def track(self, sent: Sequence[Sent]) -> list[Fired]:
        """All that a capture fires."""
        self._sides = OracleSides(self._local, sent)
        self.rules = self._sides.rules
        fired: list[Fired] = []
        for packet, segment in enumerate(sent, 1):
            fired += self._take(packet, segment, sent[packet - 2] if packet > 1 else segment)
        for connection in sorted(self._live.values(), key=lambda each: each.number):
            fired += self._end(connection, "end_of_input", len(sent), sent[-1])
        return fired

    def _take(self, packet: int, segment: Sent, previous: Sent) -> list[Fired]:
        key = frozenset((segment.source, segment.destination))
        fired: list[Fired] = []
        connection = self._live.get(key)
        if connection is None:
            while len(self._live) >= self._capacity:
                fired += self._evict(packet - 1, previous)
        elif is_copy(connection.latest[segment.source], segment):
            self.duplicates += 1
            names = ["send", "receive", "duplicate-frame"]
            return fire(connection, names, packet, segment, segment.source, segment.payload, True)
        elif begins(connection, segment):
            fired += self._end(connection, "reused", packet, segment)
            connection = None
        if connection is None:
            self.met += 1
            connection = Connection(self.met, segment, self._sides.local_ends(segment))
            self._live[key] = connection
        self._clock += 1
        connection.active = self._clock
        connection.latest[segment.source].append(segment)
        return fired + self._follow(connection, packet, segment)

    def _follow(self, connection: Connection, packet: int, segment: Sent) -> list[Fired]:
        """A segment of the connection that is no copy."""
        source, peer = segment.source, connection.other(segment.source)
        names = ["send", "receive", *handshake(connection, segment)]
        fired = fire(connection, names, packet, segment, source, segment.payload, False)
        sender, receiver = connection.bytes[source], connection.bytes[peer]
        sender.count(segment)
        if segment.flags & RST:
            if connection.ended is None:
                by_originator = source == connection.originator
                connection.ended = "rst_originator" if by_originator else "rst_responder"
            return fired + self._end(connection, connection.ended, packet, segment)
        writes = []
        if segment.flags & ACK:
            writes += [(peer, size) for size in receiver.acknowledge(segment.acknowledgment)]
        before, own = sender.take(segment, receiver)
        writes += [(peer, size) for size in before] + [(source, size) for size in own]
        for writer, size in writes:
            fired += fire(connection, ["write"], packet, segment, writer, size, False)
        if segment.flags & FIN:
            connection.fins.add(source)
        if len(connection.fins) == 2:
            connection.ended = connection.ended or "fin"
            if all(map(_fin_acknowledged, (sender, receiver))):
                fired += self._end(connection, connection.ended, packet, segment)
        return fired

    def _evict(self, packet: int, moment: Sent) -> list[Fired]:
        key, connection = min(self._live.items(), key=lambda each: each[1].active)
        del self._live[key]
        self.evicted += 1
        return self._end(connection, "evicted", packet, moment)

    def _end(self, connection: Connection, reason: str, packet: int, moment: Sent) -> list[Fired]:
        """Tell `closed`, unless it was told before."""
        if connection.told:
            return []
        connection.told = True
        return fire_closed(connection, connection.ended or reason, packet, moment)


def _fin_acknowledged(direction: Direction) -> bool:
    fin, acknowledged = direction.fin, direction.acknowledged
    return fin is not None and acknowledged is not None and acknowledged >= fin
