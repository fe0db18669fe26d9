"""Judging a segment after it was followed: everything but the handshake, writes and totals.

Each of the modules it asks fires the probes of one section of SEMANTICS.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches import probes
from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.kernel import Integer, Row, kernel
from tcpsnoop.provider import states
from tcpsnoop.provider.acknowledging import judge_ack
from tcpsnoop.provider.firing import Output, fire_drafted
from tcpsnoop.provider.handshake import REFUSED, acknowledges_syn, fin_acknowledged
from tcpsnoop.provider.loss import judge_bytes
from tcpsnoop.provider.memory import (
    ACCEPTED,
    CLOSED,
    FIN_SENT,
    ISN_IMPLIED,
    SYN_ACKED,
    SYN_SENT,
    ConnectionTable,
)
from tcpsnoop.provider.round_trip import RTT_SAMPLE, time_handshake, time_segment
from tcpsnoop.provider.timings import Timings
from tcpsnoop.provider.turns import FIRST_BYTE, take_turn
from tcpsnoop.provider.waiting import stop_waiting, wait

RESET = 1 << probes.RESET
STATE_CHANGE = 1 << probes.STATE_CHANGE
CONNECT_TIMEOUT = 1 << probes.CONNECT_TIMEOUT
UNREACHABLE = 1 << probes.UNREACHABLE
ACCEPT_OVERFLOW = 1 << probes.ACCEPT_OVERFLOW
# Probes that need `analyse`, and so all that is remembered for it.
ANALYSIS_BITS = (
    RESET
    | STATE_CHANGE
    | CONNECT_TIMEOUT
    | ACCEPT_OVERFLOW
    | RTT_SAMPLE
    | FIRST_BYTE
    | 1 << probes.RETRANSMIT
    | 1 << probes.REPEAT
    | 1 << probes.OUT_OF_ORDER
    | 1 << probes.DUPLICATE_ACK
    | 1 << probes.KEEP_ALIVE
    | 1 << probes.WINDOW_PROBE
    | 1 << probes.WINDOW_CLOSED
    | 1 << probes.WINDOW_OPENED
)
# Those that TCP options decide: SACK is evidence of loss, and timestamps tell which SYN of several
# was answered, so how young a hole may be and what the network's part of a latency is.
NEED_OPTIONS = (
    RTT_SAMPLE | FIRST_BYTE | 1 << probes.RETRANSMIT | 1 << probes.REPEAT | 1 << probes.OUT_OF_ORDER
)


@kernel
def begin_analysis(segment: Row, table: ConnectionTable, slot: Integer, sender: Integer) -> None:
    """The states of both ends before the first segment of a connection."""
    flags = np.int64(segment["flags"])
    mine, theirs = table.analyses[2 * slot + sender], table.analyses[2 * slot + 1 - sender]
    if flags & RST != 0:
        return  # CLOSED
    if flags & (SYN | ACK) == SYN:
        theirs["state"] = states.LISTEN
    elif flags & SYN != 0:
        mine["state"] = states.LISTEN
        theirs["state"] = states.SYN_SENT
    else:
        mine["state"] = states.ESTABLISHED
        theirs["state"] = states.ESTABLISHED


@kernel
def analyse(
    segment: Row,
    table: ConnectionTable,
    timings: Timings,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    fired: Integer,
    known: Integer,
    earlier: Integer,
) -> None:
    """Fire what the segment is; `fired` are the probes of its handshake.

    `known` are the bits of CONNECTION["flags"] before it, `earlier` those of its sender's END.
    """
    mine, theirs = table.analyses[2 * slot + sender], table.analyses[2 * slot + 1 - sender]
    flags = np.int64(segment["flags"])
    if wanted & CONNECT_TIMEOUT != 0:
        _await_answer(segment, table, slot, sender)
    if flags & RST != 0 and known & CLOSED == 0 and fired & REFUSED == 0 and wanted & RESET != 0:
        draft = output.draft[0]
        draft["ttl"] = segment["ttl"]
        draft["old"] = mine["ttl"]
        draft["new"] = mine["state"]
        connection = table.connections[slot]
        fire_drafted(output, table.state, connection, segment, probes.RESET, sender, sender)
    mine["ttl"] = segment["ttl"]
    if flags & (SYN | ACK) == SYN | ACK and earlier & SYN_ACKED != 0 and known & ACCEPTED != 0:
        _overflow(segment, table, output, slot, sender, wanted)
    time_handshake(segment, table, output, slot, sender, wanted, fired)
    sent_before = judge_bytes(segment, table, output, slot, sender, wanted, earlier)
    judge_ack(segment, table, output, slot, sender, wanted, np.int64(theirs["known"]))
    if wanted & RTT_SAMPLE != 0:
        time_segment(segment, table, timings, output, slot, sender, wanted, sent_before)
    if wanted & FIRST_BYTE != 0:
        take_turn(segment, table, output, slot, sender)
    _change_states(segment, table, output, slot, sender, wanted)


@kernel
def _await_answer(segment: Row, table: ConnectionTable, slot: Integer, sender: Integer) -> None:
    """A SYN waits for its answer, whatever that is."""
    flags = np.int64(segment["flags"])
    asks = sender == np.int64(table.connections[slot]["originator"])
    if asks and flags & (SYN | ACK | RST) == SYN:
        wait(table, slot, np.int64(segment["clock_ns"]))
    elif not asks or flags & RST != 0:
        stop_waiting(table, slot)


@kernel
def _overflow(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
) -> None:
    """A SYN|ACK was sent again though its ACK had been sent."""
    opening, connection = table.openings[slot], table.connections[slot]
    opening["overflows"] = min(np.int64(opening["overflows"]) + 1, 2**16 - 1)
    if wanted & ACCEPT_OVERFLOW != 0:
        output.draft[0]["count"] = opening["overflows"]
        fire_drafted(
            output, table.state, connection, segment, probes.ACCEPT_OVERFLOW, sender, sender
        )


@kernel
def _change_states(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
) -> None:
    """Both ends go through the machine by what the segment is to them."""
    flags = np.int64(segment["flags"])
    receiver = 1 - sender
    if flags & RST != 0:
        _step(segment, table, output, slot, sender, sender, states.RESETS, wanted)
        _step(segment, table, output, slot, receiver, sender, states.RESETS, wanted)
        return
    end = table.ends[2 * slot + receiver]
    known = np.int64(end["flags"])
    if flags & SYN != 0:
        answers = flags & ACK != 0
        sends = states.SENDS_SYN_ACK if answers else states.SENDS_SYN
        gets = states.GETS_SYN_ACK if answers else states.GETS_SYN
        _step(segment, table, output, slot, sender, sender, sends, wanted)
        if not answers or acknowledges_syn(end, np.int64(segment["acknowledgment"])):
            _step(segment, table, output, slot, receiver, sender, gets, wanted)
    elif flags & ACK != 0:
        acknowledgment = np.int64(segment["acknowledgment"])
        _step(segment, table, output, slot, sender, sender, states.SENDS_ACK, wanted)
        if known & (SYN_SENT | ISN_IMPLIED) == 0 or acknowledges_syn(end, acknowledgment):
            event = states.GETS_ACK_OF_SYN
            _step(segment, table, output, slot, receiver, sender, event, wanted)
        if known & FIN_SENT != 0 and fin_acknowledged(end, table.streams[2 * slot + receiver]):
            event = states.GETS_ACK_OF_FIN
            _step(segment, table, output, slot, receiver, sender, event, wanted)
    if flags & FIN != 0:
        _step(segment, table, output, slot, sender, sender, states.SENDS_FIN, wanted)
        _step(segment, table, output, slot, receiver, sender, states.GETS_FIN, wanted)


@kernel
def _step(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    end: Integer,
    sender: Integer,
    event: Integer,
    wanted: Integer,
) -> None:
    """One end and one event."""
    analysis = table.analyses[2 * slot + end]
    old = np.int64(analysis["state"])
    new = states.after(old, event)
    if new == old:
        return
    spell = table.spells[2 * slot + end]
    since_ns, time_ns = np.int64(spell["state_ns"]), np.int64(segment["time_ns"])
    analysis["state"] = new
    spell["state_ns"] = time_ns
    if wanted & STATE_CHANGE != 0:
        draft = output.draft[0]
        draft["old"] = old
        draft["new"] = new
        draft["elapsed_ns"] = -1 if since_ns < 0 else max(time_ns - since_ns, 0)
        connection = table.connections[slot]
        fire_drafted(output, table.state, connection, segment, probes.STATE_CHANGE, end, sender)
