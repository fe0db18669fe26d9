"""Opening and closing: which segment begins a connection, and what fires on the way.

SEMANTICS 5 and 6; the state is a few bits in the connection's row and in those of its ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches import probes
from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel
from tcpsnoop.provider.memory import (
    ACCEPTED,
    CLOSED,
    CONNECTED,
    FIN_SENT,
    HEARD,
    ISN_IMPLIED,
    MIDSTREAM,
    REPORTED,
    REQUESTED,
    SIMULTANEOUS,
    SYN_ACKED,
    SYN_SENT,
)
from tcpsnoop.provider.sequence import MODULUS_MASK, distance

# Bits of what `advance` returns: bit n is probe number n.
CONNECT_REQUEST = 1 << probes.CONNECT_REQUEST
CONNECT_ESTABLISHED = 1 << probes.CONNECT_ESTABLISHED
REFUSED = 1 << probes.CONNECT_REFUSED | 1 << probes.ACCEPT_REFUSED
ACCEPT_ESTABLISHED = 1 << probes.ACCEPT_ESTABLISHED
CLOSED_FIRES = 1 << probes.CLOSED

BY_FIN = probes.END_REASONS.index("fin")
BY_RST_ORIGINATOR = probes.END_REASONS.index("rst_originator")
BY_RST_RESPONDER = probes.END_REASONS.index("rst_responder")

MOST_REPEATS = 255  # what the column holds
WELL_KNOWN = 1024  # ports below are services (RFC 6335 section 6, System Ports)


@kernel
def begins_anew(connection: Row, sender: Row, segment: Row) -> Truth:
    """Whether this segment begins a new connection under the key of an old one (SEMANTICS 5).

    `sender` is the row of the end that sent it.
    """
    sequence = np.int64(segment["sequence"])
    flags = np.int64(segment["flags"])
    if flags & (SYN | RST) != SYN:
        return False
    closed = np.int64(connection["flags"]) & CLOSED != 0
    known = np.int64(sender["flags"])
    if closed and (flags & ACK == 0 or known & (SYN_SENT | ISN_IMPLIED) == 0):
        return True
    if known & (SYN_SENT | ISN_IMPLIED | HEARD) != 0:
        # Midstream, `isn` is one below the lowest sequence seen.
        return np.int64(sender["isn"]) != sequence
    # Nothing was seen of this end: the other SYN of a simultaneous open, or midstream.
    return np.int64(connection["flags"]) & MIDSTREAM != 0


@kernel
def originator_of(
    sender: Integer,
    flags: Integer,
    source_port: Integer,
    destination_port: Integer,
    services: NDArray[np.bool_],
) -> Integer:
    """Which end opened the connection, by its first segment (SEMANTICS 5)."""
    receiver = 1 - sender
    if flags & (SYN | RST) == SYN:
        return sender if flags & ACK == 0 else receiver
    source_serves = source_port < WELL_KNOWN or services[source_port]
    destination_serves = destination_port < WELL_KNOWN or services[destination_port]
    if source_serves and not destination_serves:
        return receiver
    return sender


@inlined
def advance(
    connection: Row,
    ends: NDArray[np.void],
    slot: Integer,
    end: Integer,
    segment: Row,
) -> Integer:
    """Take one segment, no copy, of the connection in row `slot`; the probes that fire, as bits."""
    sequence = np.int64(segment["sequence"])
    acknowledgment = np.int64(segment["acknowledgment"])
    flags = np.int64(segment["flags"])
    sender = ends[2 * slot + end]
    receiver = ends[2 * slot + 1 - end]
    if flags & RST != 0:
        return _reset(connection, sender, receiver, end, acknowledgment, flags)
    fired = 0
    if flags & SYN != 0:
        fired = _open(connection, sender, receiver, end, sequence, acknowledgment, flags)
    state = np.int64(connection["flags"])
    if (
        flags & (SYN | ACK) == ACK
        and state & (ACCEPTED | CLOSED) == 0
        and np.int64(receiver["flags"]) & SYN_SENT != 0
    ):
        fired |= _answer(connection, receiver, end, acknowledgment)
    if flags & FIN != 0 and np.int64(sender["flags"]) & FIN_SENT == 0:
        sender["flags"] = np.int64(sender["flags"]) | FIN_SENT
        payload: Integer = max(np.int64(segment["payload"]), 0)
        sender["fin"] = (sequence + payload + 1) & MODULUS_MASK
        if np.int64(receiver["flags"]) & FIN_SENT != 0 and state & CLOSED == 0:
            connection["flags"] = np.int64(connection["flags"]) | CLOSED
            connection["end_reason"] = BY_FIN
    return fired


@inlined
def finish(
    connection: Row, ends: NDArray[np.void], streams: NDArray[np.void], slot: Integer
) -> Integer:
    """`closed` as a bit, if both ends have sent FIN and both FINs are acknowledged by now."""
    state = np.int64(connection["flags"])
    if (
        state & (CLOSED | REPORTED) == CLOSED
        and fin_acknowledged(ends[2 * slot], streams[2 * slot])
        and fin_acknowledged(ends[2 * slot + 1], streams[2 * slot + 1])
    ):
        connection["flags"] = state | REPORTED
        return CLOSED_FIRES
    return 0


@kernel
def fin_acknowledged(end: Row, stream: Row) -> Truth:
    """The other end has acknowledged this end's FIN."""
    acknowledged = np.int64(stream["acknowledged"])
    return acknowledged >= 0 and distance(acknowledged, np.int64(end["fin"])) >= 0


@inlined
def hear(sender: Row, segment: Row) -> None:
    """Keep the lowest sequence number of an end whose SYN was not captured, in place of its ISN.

    After the segment's bytes were taken: they are told from earlier ones by it.
    """
    flags = np.int64(sender["flags"])
    if flags & (SYN_SENT | ISN_IMPLIED) != 0 or np.int64(segment["flags"]) & (SYN | RST) != 0:
        return
    sequence = np.int64(segment["sequence"])
    if flags & HEARD == 0 or distance(sequence, np.int64(sender["isn"]) + 1) < 0:
        sender["isn"] = (sequence - 1) & MODULUS_MASK
        sender["flags"] = flags | HEARD


@kernel
def _open(
    connection: Row,
    sender: Row,
    receiver: Row,
    end: Integer,
    sequence: Integer,
    acknowledgment: Integer,
    flags: Integer,
) -> Integer:
    """A SYN or SYN|ACK."""
    state = np.int64(connection["flags"])
    known = np.int64(sender["flags"])
    first = known & SYN_SENT == 0
    if known & (SYN_SENT if flags & ACK == 0 else SYN_ACKED) != 0:
        sender["repeats"] = min(np.int64(sender["repeats"]) + 1, MOST_REPEATS)
    sender["isn"] = sequence
    if flags & ACK == 0:
        sender["flags"] = np.int64(sender["flags"]) | SYN_SENT
        peer = np.int64(receiver["flags"])
        if first and peer & (SYN_SENT | SYN_ACKED) == SYN_SENT:
            connection["flags"] = state | SIMULTANEOUS
        if state & REQUESTED != 0:
            return 0
        connection["flags"] = np.int64(connection["flags"]) | REQUESTED
        connection["originator"] = end
        return CONNECT_REQUEST
    sender["flags"] = np.int64(sender["flags"]) | SYN_SENT | SYN_ACKED
    if np.int64(receiver["flags"]) & SYN_SENT == 0:
        # The SYN was not captured, but this is what it must have been, and whose.
        if state & REQUESTED == 0:
            connection["originator"] = 1 - end
        receiver["isn"] = (acknowledgment - 1) & MODULUS_MASK
        receiver["flags"] = np.int64(receiver["flags"]) | ISN_IMPLIED
        return 0
    if (
        state & CONNECTED == 0
        and np.int64(connection["originator"]) == 1 - end
        and acknowledges_syn(receiver, acknowledgment)
    ):
        connection["flags"] = state | CONNECTED
        return CONNECT_ESTABLISHED
    return 0


@kernel
def _answer(connection: Row, receiver: Row, end: Integer, acknowledgment: Integer) -> Integer:
    """An ACK without SYN before the connection is accepted."""
    state = np.int64(connection["flags"])
    peer = np.int64(receiver["flags"])
    if not acknowledges_syn(receiver, acknowledgment):
        return 0
    fired = 0
    if (
        # A simultaneous open is complete for the originator when its SYN is acknowledged.
        state & (SIMULTANEOUS | CONNECTED) == SIMULTANEOUS
        and np.int64(connection["originator"]) == 1 - end
    ):
        state |= CONNECTED
        fired |= CONNECT_ESTABLISHED
    if np.int64(connection["originator"]) == end and peer & SYN_ACKED != 0:
        state |= ACCEPTED
        fired |= ACCEPT_ESTABLISHED
    connection["flags"] = state
    return fired


@kernel
def _reset(
    connection: Row,
    sender: Row,
    receiver: Row,
    end: Integer,
    acknowledgment: Integer,
    flags: Integer,
) -> Integer:
    """A RST: it ends the connection, and refuses it when it answers a bare SYN."""
    state = np.int64(connection["flags"])
    fired = 0
    peer = np.int64(receiver["flags"])
    if (
        state & CLOSED == 0
        and np.int64(sender["flags"]) & (SYN_SENT | HEARD) == 0
        and peer & (SYN_SENT | SYN_ACKED) == SYN_SENT
        and (flags & ACK == 0 or acknowledges_syn(receiver, acknowledgment))
    ):
        fired |= REFUSED
    if state & CLOSED == 0:
        by_originator = np.int64(connection["originator"]) == end
        connection["end_reason"] = BY_RST_ORIGINATOR if by_originator else BY_RST_RESPONDER
    if state & REPORTED == 0:
        fired |= CLOSED_FIRES
    connection["flags"] = state | CLOSED | REPORTED
    return fired


@kernel
def acknowledges_syn(receiver: Row, acknowledgment: Integer) -> Truth:
    """The acknowledgment covers the receiver's SYN (and perhaps data behind it)."""
    return distance(acknowledgment, np.int64(receiver["isn"]) + 1) >= 0
