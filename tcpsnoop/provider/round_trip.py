"""Round-trip times by three methods that are never mixed (SEMANTICS 8).

The handshake's two halves and their sum; a segment and its ACK (Karn's rule); a TCP timestamp and
its echo (RFC 7323).
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches import probes
from tcpsnoop.batches.probes import RTT_METHODS
from tcpsnoop.batches.segments import ACK, FIN, OPTION_TIMESTAMPS, RST, SYN
from tcpsnoop.kernel import Integer, Row, Truth, kernel
from tcpsnoop.provider.firing import Output, fire_drafted
from tcpsnoop.provider.memory import (
    HAS_STAMP,
    HOLE_SINCE,
    NEW_BYTES,
    NONE,
    ConnectionTable,
)
from tcpsnoop.provider.sequence import distance, unwrap
from tcpsnoop.provider.timings import (
    Timings,
    acknowledged,
    await_ack,
    await_echo,
    echoed,
    forget_flight,
)

_SYN, _SYNACK, _IRTT, _ACK, _TIMESTAMP = range(len(RTT_METHODS))
RTT_SAMPLE = 1 << probes.RTT_SAMPLE
_CONNECT_ESTABLISHED = 1 << probes.CONNECT_ESTABLISHED
_ACCEPT_ESTABLISHED = 1 << probes.ACCEPT_ESTABLISHED


@kernel
def time_handshake(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    fired: Integer,
) -> None:
    """Note when SYN, SYN|ACK and the ACK came; `fired` are the probes of the handshake."""
    opening, connection = table.openings[slot], table.connections[slot]
    handshake = table.handshakes[slot]
    flags = np.int64(segment["flags"])
    time_ns = np.int64(segment["time_ns"])
    originator = np.int64(connection["originator"])
    repeats = np.int64(table.ends[2 * slot + sender]["repeats"])
    if flags & RST != 0:
        return
    if fired & _CONNECT_ESTABLISHED != 0:
        first_ns = np.int64(connection["start_ns"])
        stamps = np.int64(handshake["syn_stamp"]), np.int64(handshake["syn_stamp_last"])
        asked = np.int64(table.ends[2 * slot + originator]["repeats"])
        sent_ns = _sent(segment, asked, first_ns, np.int64(handshake["syn_ns"]), *stamps)
        if sent_ns != NONE and time_ns >= sent_ns:
            answer_ns = time_ns - sent_ns
            opening["syn_rtt_ns"] = answer_ns
            _sample(segment, table, output, slot, sender, wanted, originator, _SYN, answer_ns)
    if flags & SYN != 0:
        stamp = np.int64(segment["tsval"])
        if flags & ACK == 0:
            handshake["syn_ns"] = time_ns
            handshake["syn_stamp_last"] = stamp
            if repeats == 0:
                handshake["syn_stamp"] = stamp
        else:
            handshake["synack_ns"] = time_ns
            handshake["synack_stamp_last"] = stamp
            if repeats == 0:
                handshake["synack_first_ns"] = time_ns
                handshake["synack_stamp"] = stamp
    if fired & _ACCEPT_ESTABLISHED != 0:
        opening["accepted_ns"] = time_ns
        stamps = np.int64(handshake["synack_stamp"]), np.int64(handshake["synack_stamp_last"])
        answered = np.int64(table.ends[2 * slot + 1 - sender]["repeats"])
        first_ns = np.int64(handshake["synack_first_ns"])
        sent_ns = _sent(segment, answered, first_ns, np.int64(handshake["synack_ns"]), *stamps)
        if sent_ns != NONE and time_ns >= sent_ns:
            answer_ns = time_ns - sent_ns
            _sample(segment, table, output, slot, sender, wanted, 1 - sender, _SYNACK, answer_ns)
            if np.int64(opening["syn_rtt_ns"]) >= 0:
                whole_ns = np.int64(opening["syn_rtt_ns"]) + answer_ns
                opening["irtt_ns"] = whole_ns
                for end in range(2):
                    _sample(segment, table, output, slot, sender, wanted, end, _IRTT, whole_ns)


@kernel
def _sent(
    segment: Row,
    repeats: Integer,
    first_ns: Integer,
    last_ns: Integer,
    first_stamp: Integer,
    last_stamp: Integer,
) -> Integer:
    """When that was sent which `segment` answers; NONE if repeats leave it open.

    The first one was sent at `first_ns`, the latest at `last_ns`.
    """
    if repeats == 0 or last_ns == NONE:
        return last_ns
    if np.int64(segment["options"]) & OPTION_TIMESTAMPS == 0 or first_stamp == last_stamp:
        return NONE
    echo = np.int64(segment["tsecr"])
    if echo == last_stamp:
        return last_ns
    return first_ns if echo == first_stamp else NONE


@kernel
def time_segment(
    segment: Row,
    table: ConnectionTable,
    timings: Timings,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    sent_before: Truth,
) -> None:
    """Time what it answers, and let it wait for its own answer; after it was followed."""
    state = table.state
    mine, theirs = table.analyses[2 * slot + sender], table.analyses[2 * slot + 1 - sender]
    stream, other = table.streams[2 * slot + sender], table.streams[2 * slot + 1 - sender]
    flags = np.int64(segment["flags"])
    payload = np.int64(segment["payload"])
    time_ns = np.int64(segment["time_ns"])
    if flags & RST != 0:
        return
    waits = np.int64(theirs["flight"]) >= 0 or np.int64(theirs["doubt"]) >= 0
    if flags & (SYN | ACK) == ACK and waits:
        number = unwrap(np.int64(segment["acknowledgment"]), np.int64(other["next"]))
        sent_ns = acknowledged(timings, state, theirs, number)
        ambiguous = _is_in_doubt(theirs, number)
        if sent_ns != NONE and time_ns >= sent_ns and not ambiguous:
            elapsed = time_ns - sent_ns
            _sample(segment, table, output, slot, sender, wanted, 1 - sender, _ACK, elapsed)
    start = np.int64(segment["sequence"]) + (1 if flags & SYN != 0 else 0)
    stop = unwrap(start, np.int64(stream["next"])) + max(payload, 0)
    if sent_before or payload < 0:
        forget_flight(timings, state, mine)
        if payload > 0:
            mine["doubt"] = max(np.int64(mine["doubt"]), stop)
        elif payload < 0:
            mine["doubt"] = NONE  # its numbers begin anew
    elif payload > 0 and state[NEW_BYTES] == payload and state[HOLE_SINCE] == NONE:
        await_ack(timings, state, mine, stop + (1 if flags & FIN != 0 else 0), time_ns)
    if np.int64(segment["options"]) & OPTION_TIMESTAMPS == 0:
        return
    if flags & ACK != 0 and np.int64(theirs["stamps"]) >= 0:
        sent_ns = echoed(timings, state, theirs, np.int64(segment["tsecr"]))
        if sent_ns != NONE and time_ns >= sent_ns:
            elapsed = time_ns - sent_ns
            _sample(segment, table, output, slot, sender, wanted, 1 - sender, _TIMESTAMP, elapsed)
    stamp = np.int64(segment["tsval"])
    known = np.int64(mine["known"])
    fresh = known & HAS_STAMP == 0 or distance(stamp, np.int64(mine["stamp"])) > 0
    if fresh and (payload > 0 or flags & (SYN | FIN) != 0):
        await_echo(timings, state, mine, stamp, time_ns)
        mine["stamp"] = stamp
        mine["known"] = known | HAS_STAMP


@kernel
def _is_in_doubt(end: Row, number: Integer) -> Truth:
    """The ACK up to `number` may have waited for a retransmission by `end` that it covers too."""
    doubt = np.int64(end["doubt"])
    if doubt < 0 or number < doubt:
        return False
    end["doubt"] = NONE
    return True


@kernel
def _sample(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    of: Integer,
    method: Integer,
    elapsed_ns: Integer,
) -> None:
    if wanted & RTT_SAMPLE == 0:
        return
    draft = output.draft[0]
    draft["kind"] = method
    draft["elapsed_ns"] = elapsed_ns
    connection = table.connections[slot]
    fire_drafted(output, table.state, connection, segment, probes.RTT_SAMPLE, of, sender)
