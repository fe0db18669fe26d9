"""What is known of one connection, and what each segment teaches (SEMANTICS 5 to 7).

Nothing of tcpsnoop but the names of flags. Its readings where SEMANTICS leaves a choice:

- "A SYN|ACK after close with no SYN seen": no number is known to compare its own with.
- An end of which segments were seen, but no SYN, has the number below its lowest as its own.
- A RST answers a SYN only if its sender said nothing before, and not if it acknowledges something
  below the SYN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tcpsnoop.batches.segments import ACK, RST, SYN
from tests.provider.oracle_bytes import Direction
from tests.provider.talk import MODULUS, Endpoint, Sent
from tests.provider.tracked import SERVICES

REMEMBERED = 8
MILLISECOND_NS, FIFTY_MICROSECONDS_NS = 1_000_000, 50_000
WELL_KNOWN = 1024


@dataclass
class Connection:
    """What is known of a connection; ends are known by their Endpoint."""

    number: int
    first: Sent
    local: frozenset[Endpoint]
    isn: dict[Endpoint, int] = field(default_factory=dict)  # of SYNs, or told by a SYN|ACK
    lowest: dict[Endpoint, int] = field(default_factory=dict)
    asked: list[Endpoint] = field(default_factory=list)  # senders of a SYN
    answered: list[Endpoint] = field(default_factory=list)  # senders of a SYN|ACK
    spoke: set[Endpoint] = field(default_factory=set)
    fins: set[Endpoint] = field(default_factory=set)
    established: bool = False
    accepted: bool = False
    ended: str | None = None
    told: bool = False
    active: int = 0
    latest: dict[Endpoint, list[Sent]] = field(default_factory=dict)
    bytes: dict[Endpoint, Direction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ends = self.first.source, self.first.destination
        self.latest = {end: [] for end in ends}
        self.bytes = {end: Direction() for end in ends}
        self.midstream = self.first.flags & (SYN | RST) != SYN

    @property
    def originator(self) -> Endpoint:
        """Who opened it."""
        if self.asked:
            return self.asked[0]
        if self.answered:
            return self.other(self.answered[0])
        ends = self.first.source, self.first.destination
        serving = [end for end in ends if end.port < WELL_KNOWN or end.port in SERVICES]
        return self.other(serving[0]) if len(serving) == 1 else self.first.source

    def other(self, end: Endpoint) -> Endpoint:
        """The other end."""
        ends = self.first.source, self.first.destination
        return ends[0] if end == ends[1] else ends[1]


def is_copy(latest: Sequence[Sent], segment: Sent) -> bool:
    """Whether the frame was captured before."""
    return any(_same_frame(each, segment) for each in latest[-REMEMBERED:])


def _same_frame(known: Sent, segment: Sent) -> bool:
    fields = ("sequence", "acknowledgment", "flags", "payload", "fingerprint")
    if any(getattr(known, name) != getattr(segment, name) for name in fields):
        return False
    elapsed = abs(segment.time_ns - known.time_ns)
    if segment.ttl > known.ttl or elapsed > MILLISECOND_NS:
        return False
    if segment.path != known.path:
        return True
    same_id = segment.ip_id == known.ip_id
    return same_id and (segment.ip_id != 0 or elapsed <= FIFTY_MICROSECONDS_NS)


def begins(connection: Connection, segment: Sent) -> bool:
    """Whether the segment begins a new connection under the same key."""
    if segment.flags & (SYN | RST) != SYN:
        return False
    if connection.ended and not segment.flags & ACK:
        return True
    if segment.source in connection.isn:
        return connection.isn[segment.source] != segment.sequence
    if connection.ended:
        return True
    if segment.source in connection.lowest:
        return connection.lowest[segment.source] != (segment.sequence + 1) % MODULUS
    return connection.midstream


def _covers(segment: Sent, isn: int) -> bool:
    return 0 < (segment.acknowledgment - isn) % MODULUS <= MODULUS // 2


def handshake(connection: Connection, segment: Sent) -> list[str]:
    """The probes of opening and refusing that fire; what is learnt is kept."""
    flags, source = segment.flags, segment.source
    peer = connection.other(source)
    if flags & RST:
        return _refusal(connection, segment, source, peer)
    names = []
    if flags & SYN:
        connection.isn[source] = segment.sequence
        connection.bytes[source].known_from(segment.sequence + 1)
        if not flags & ACK:
            if not connection.asked:
                names.append("connect-request")
            if source not in connection.asked:
                connection.asked.append(source)
        else:
            if source not in connection.answered:
                connection.answered.append(source)
            if peer not in connection.isn:
                connection.isn[peer] = (segment.acknowledgment - 1) % MODULUS
                connection.bytes[peer].known_from(segment.acknowledgment)
    elif source not in connection.isn:
        lowest = connection.lowest.setdefault(source, segment.sequence)
        if (segment.sequence - lowest) % MODULUS > MODULUS // 2:
            connection.lowest[source] = segment.sequence
    connection.spoke.add(source)
    return names + _opened(connection, segment, source, peer)


def _opened(connection: Connection, segment: Sent, source: Endpoint, peer: Endpoint) -> list[str]:
    names: list[str] = []
    if connection.ended and not segment.flags & SYN:
        return names
    covers = (
        segment.flags & ACK and peer in connection.isn and _covers(segment, connection.isn[peer])
    )
    simultaneous = len(connection.asked) == 2
    answers = segment.flags & SYN or simultaneous
    if covers and answers and not connection.established and connection.asked[:1] == [peer]:
        connection.established = True
        names.append("connect-established")
    completes = covers and not segment.flags & SYN and peer in connection.answered
    if completes and source == connection.originator and not connection.accepted:
        connection.accepted = True
        names.append("accept-established")
    return names


def _refusal(connection: Connection, segment: Sent, source: Endpoint, peer: Endpoint) -> list[str]:
    """A RST that answers a SYN before any SYN|ACK."""
    if connection.ended or source in connection.spoke or peer in connection.answered:
        return []
    if peer not in connection.asked:
        return []
    if segment.flags & ACK and not _covers(segment, connection.isn[peer]):
        return []
    return ["connect-refused", "accept-refused"]
