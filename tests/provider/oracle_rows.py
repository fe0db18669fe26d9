"""Which ends a probe is seen from, and its rows (SEMANTICS 4 and 6), in plain Python."""

from __future__ import annotations

from collections.abc import Iterable

from tests.provider.oracle_bytes import Direction
from tests.provider.oracle_connection import Connection
from tests.provider.talk import Endpoint, Sent
from tests.provider.tracked import Counts, Fired, Totals


def _role(connection: Connection, end: Endpoint) -> str:
    return "originator" if end == connection.originator else "responder"


def _views(connection: Connection, probe: str, sender: Endpoint) -> list[Endpoint]:
    """The ends a probe is seen from; of a write, `sender` is the writer."""
    responder = connection.other(connection.originator)
    ends = sorted(connection.bytes)
    if probe.startswith("connect"):
        ends = [connection.originator]
    elif probe.startswith("accept"):
        ends = [responder]
    elif probe == "write":
        ends = [sender]
    elif probe in ("send", "receive"):
        ends = [sender if probe == "send" else connection.other(sender)]
        if not connection.local:
            return [end for end in ends if end == responder]
    elif not connection.local:
        ends = [responder]
    return [end for end in ends if end in connection.local or not connection.local]


def fire(
    connection: Connection,
    names: Iterable[str],
    packet: int,
    segment: Sent,
    sender: Endpoint,
    size: int | None,
    duplicate: bool,
) -> list[Fired]:
    """The rows of these probes; of a write, `sender` is the writer."""
    return [
        Fired(
            name,
            packet,
            segment.time_ns,
            connection.number,
            _role(connection, end),
            str(end),
            "->" if sender == end else "<-",
            str(connection.other(end)),
            size,
            segment.flags,
            duplicate,
            connection.other(end) in connection.local,
            None,
        )
        for name in names
        for end in _views(connection, name, sender)
    ]


def _totals(connection: Connection, end: Endpoint, reason: str) -> Totals:
    tx, rx = (_counts(connection.bytes[each]) for each in (end, connection.other(end)))
    return Totals(connection.first.time_ns, reason, connection.midstream, tx, rx)


def _counts(sent: Direction) -> Counts:
    assert sent.payload == sent.unique + sent.retransmitted + sent.probe
    return Counts(sent.segments, sent.payload, sent.retransmitted, sent.probe)


def fire_closed(connection: Connection, reason: str, packet: int, moment: Sent) -> list[Fired]:
    """`closed` with its totals, for each end that sees it."""
    return [
        Fired(
            "closed",
            packet,
            moment.time_ns,
            connection.number,
            _role(connection, end),
            str(end),
            "<-",
            str(connection.other(end)),
            0,
            0,
            False,
            connection.other(end) in connection.local,
            _totals(connection, end, connection.ended or reason),
        )
        for end in _views(connection, "closed", connection.originator)
    ]
