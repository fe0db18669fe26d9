"""What a segment's bytes are: sent before, out of order, a probe (SEMANTICS 7)."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches import probes
from tcpsnoop.batches.probes import RETRANSMISSIONS
from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.kernel import Integer, Row, Truth, kernel
from tcpsnoop.provider.firing import Output, fire_drafted
from tcpsnoop.provider.memory import (
    FIN_SENT,
    HOLE_SINCE,
    HOLE_START,
    KEPT_ALIVE,
    NEW_BYTES,
    NONE,
    PROBED,
    SACKED,
    SYN_ACKED,
    SYN_SENT,
    ConnectionTable,
)
from tcpsnoop.provider.sequence import distance, unwrap
from tcpsnoop.provider.stream import KEEP_ALIVE, NO_PROBE, WINDOW_PROBE

RETRANSMIT = 1 << probes.RETRANSMIT
OUT_OF_ORDER = 1 << probes.OUT_OF_ORDER
REPEAT = 1 << probes.REPEAT
LOSS = (
    RETRANSMIT | REPEAT | OUT_OF_ORDER | 1 << probes.KEEP_ALIVE | 1 << probes.WINDOW_PROBE
)  # what `judge_bytes` fires

_FAST, _TIMEOUT, _SPURIOUS, _UNSEEN, _HANDSHAKE = range(len(RETRANSMISSIONS))

# A fast retransmission comes so soon after the ACK that asks for it (Wireshark's rule).
FAST_NS = 20_000_000
FAST_DUPLICATES = 2
# So many duplicate ACKs are evidence of loss (RFC 5681 section 3.2).
LOST_DUPLICATES = 3
# How old a hole may be to count as filled out of order, where the initial RTT is not known.
YOUNG_NS = 3_000_000


@kernel
def judge_bytes(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    earlier: Integer,
) -> Truth:
    """Fire what the segment's bytes are, after it was followed; whether some were sent before.

    `earlier` are the bits of END["flags"] of its sender before it.
    """
    state, connection = table.state, table.connections[slot]
    mine = table.analyses[2 * slot + sender]
    probed = state[PROBED]
    known = np.int64(mine["known"])
    mine["known"] = known | KEPT_ALIVE if probed == KEEP_ALIVE else known & ~KEPT_ALIVE
    if probed != NO_PROBE:
        probe = probes.WINDOW_PROBE if probed == WINDOW_PROBE else probes.KEEP_ALIVE
        if wanted >> probe & 1 != 0:
            fire_drafted(output, state, connection, segment, probe, sender, sender)
        return False
    kind = _retransmission_of(segment, table, slot, sender, earlier)
    if kind == NONE:
        return False
    payload = np.int64(segment["payload"])
    draft = output.draft[0]
    draft["sequence"] = segment["sequence"]
    if kind == _OUT_OF_ORDER:
        if wanted & OUT_OF_ORDER != 0:
            fire_drafted(output, state, connection, segment, probes.OUT_OF_ORDER, sender, sender)
        draft["sequence"] = 0
        return False
    if wanted & RETRANSMIT != 0:
        draft["kind"] = kind
        draft["overlap"] = max(payload - state[NEW_BYTES], 0)
        draft["new"] = mine["state"]
        fire_drafted(output, state, connection, segment, probes.RETRANSMIT, sender, sender)
    draft["sequence"] = 0
    if wanted & REPEAT != 0:
        draft["kind"] = kind
        draft["overlap"] = max(payload - state[NEW_BYTES], 0)
        fire_drafted(output, state, connection, segment, probes.REPEAT, sender, sender)
    return True


# Beside the kinds of retransmission.
_OUT_OF_ORDER = len(RETRANSMISSIONS)


@kernel
def _retransmission_of(
    segment: Row, table: ConnectionTable, slot: Integer, sender: Integer, earlier: Integer
) -> Integer:
    """Its kind, _OUT_OF_ORDER, or NONE."""
    state = table.state
    flags = np.int64(segment["flags"])
    payload = np.int64(segment["payload"])
    if flags & RST != 0 or payload < 0:
        return NONE
    if flags & SYN != 0 and earlier & (SYN_SENT if flags & ACK == 0 else SYN_ACKED) != 0:
        return _HANDSHAKE
    new = state[NEW_BYTES]
    if payload == 0:
        return _HANDSHAKE if flags & FIN != 0 and earlier & FIN_SENT != 0 else NONE
    stream = table.streams[2 * slot + sender]
    start = np.int64(segment["sequence"]) + (1 if flags & SYN != 0 else 0)
    place = unwrap(start, np.int64(stream["next"]))
    theirs = table.analyses[2 * slot + 1 - sender]
    time_ns = np.int64(segment["time_ns"])
    duplicates = np.int64(theirs["duplicates"])
    if new < payload:
        if place + payload <= np.int64(stream["acknowledged"]):
            return _SPURIOUS
        asked = duplicates >= FAST_DUPLICATES or np.int64(theirs["known"]) & SACKED != 0
        soon = 0 <= time_ns - np.int64(theirs["ack_ns"]) <= FAST_NS
        if asked and soon and distance(start, np.int64(theirs["ack"])) == 0:
            return _FAST
        return _TIMEOUT
    since_ns = state[HOLE_SINCE]
    if since_ns == NONE:
        if place >= state[HOLE_START]:
            return NONE
        # Before the first byte captured of an end that was picked up midstream.
        since_ns = np.int64(table.connections[slot]["start_ns"])
    initial_ns = np.int64(table.openings[slot]["irtt_ns"])
    young = time_ns - since_ns < (YOUNG_NS if initial_ns < 0 else initial_ns)
    asked = (
        duplicates >= LOST_DUPLICATES and distance(np.int64(theirs["ack"]), state[HOLE_START]) == 0
    )
    return _OUT_OF_ORDER if young and not asked else _UNSEEN
