"""A plain follower of connections, for what MANIFEST.json says of handshakes (SEMANTICS 5 and 6).

One dictionary, one segment at a time, no side known. It knows when connections begin and how they
are established, accepted and refused; nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.oracle import Segment

FIN, SYN, RST, ACK = 1, 2, 4, 16
HALF, MODULUS = 2**31, 2**32

End = tuple[str, int]


@dataclass
class Connection:
    """What is known of a connection; `first_numbers` are those of SYNs, by their sender."""

    originator: End | None = None
    responder: End | None = None
    first_numbers: dict[End, int] = field(default_factory=dict)
    lowest: dict[End, int] = field(default_factory=dict)
    asked: bool = False  # a SYN was seen
    answered: bool = False  # a SYN|ACK was seen
    established: bool = False
    accepted: bool = False
    refused: bool = False
    reset: bool = False
    finished: set[End] = field(default_factory=set)

    @property
    def closed(self) -> bool:
        """FIN from both ends, or RST."""
        return self.reset or len(self.finished) == 2


def follow(segments: Iterable[Segment]) -> list[Connection]:
    """All connections of a capture, in the order in which they begin."""
    found: list[Connection] = []
    latest: dict[frozenset[End], Connection] = {}
    for segment in segments:
        source = segment.source, segment.source_port
        destination = segment.destination, segment.destination_port
        key = frozenset((source, destination))
        connection = latest.get(key)
        if connection is None or _begins(connection, source, segment):
            connection = latest[key] = Connection()
            found.append(connection)
        _take(connection, source, destination, segment)
    return found


def _begins(known: Connection, source: End, segment: Segment) -> bool:
    if not segment.flags & SYN:
        return False
    if source in known.first_numbers and known.first_numbers[source] != segment.sequence:
        return True
    if known.closed:
        return True
    midstream = not known.first_numbers
    expected = (segment.sequence + 1) % MODULUS
    return midstream and not segment.flags & ACK and known.lowest.get(source) != expected


def _take(connection: Connection, source: End, destination: End, segment: Segment) -> None:
    flags = segment.flags
    lowest = connection.lowest.setdefault(source, segment.sequence)
    if (segment.sequence - lowest) % MODULUS > HALF:
        connection.lowest[source] = segment.sequence
    if flags & RST:
        if connection.asked and not connection.answered and source == connection.responder:
            connection.refused = True
        connection.reset = True
    elif flags & SYN:
        connection.first_numbers[source] = segment.sequence
        if flags & ACK:
            _answer(connection, source, destination, segment)
        elif connection.originator is None:
            connection.originator, connection.responder = source, destination
            connection.asked = True
    elif flags & ACK and source == connection.originator and not connection.reset:
        first = connection.first_numbers.get(destination)
        if connection.answered and first is not None and _covers(segment.acknowledgment, first):
            connection.accepted = True
    if flags & FIN:
        connection.finished.add(source)


def _answer(connection: Connection, source: End, destination: End, segment: Segment) -> None:
    """A SYN|ACK: of the responder, or of both ends when they open at the same time."""
    if connection.originator is None:
        connection.originator, connection.responder = destination, source
    if source != connection.responder:
        return
    connection.answered = True
    first = connection.first_numbers.get(destination)
    if connection.asked and first is not None and _covers(segment.acknowledgment, first):
        connection.established = True


def _covers(acknowledgment: int, first: int) -> bool:
    return 0 < (acknowledgment - first) % MODULUS < HALF
