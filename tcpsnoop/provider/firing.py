"""Rows of probes: which end a probe is seen from, and what its row says (SEMANTICS 6)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches import probes
from tcpsnoop.batches.probes import CLOSED_ROW, DETAIL, PROBE_ROW
from tcpsnoop.batches.segments import SEGMENT
from tcpsnoop.kernel import Integer, Row, inlined, kernel
from tcpsnoop.provider.endings import conn_state_of
from tcpsnoop.provider.looking_ahead import RING
from tcpsnoop.provider.memory import (
    CLOSED_ROWS,
    DETAIL_ROWS,
    MIDSTREAM,
    REQUESTED,
    ROWS,
)
from tcpsnoop.provider.sides import BOTH_LOCAL, FIRST_LOCAL, SECOND_LOCAL
from tcpsnoop.provider.writes import MAX_WRITES

# Probes seen from the originator or from the responder alone, whatever end sent the segment.
FROM_ORIGINATOR = (
    1 << probes.CONNECT_REQUEST
    | 1 << probes.CONNECT_ESTABLISHED
    | 1 << probes.CONNECT_REFUSED
    | 1 << probes.CONNECT_TIMEOUT
)
FROM_RESPONDER = (
    1 << probes.ACCEPT_ESTABLISHED | 1 << probes.ACCEPT_REFUSED | 1 << probes.ACCEPT_OVERFLOW
)
# Probes of one end: seen from it alone.
OF_ONE_END = (
    1 << probes.WRITE
    | 1 << probes.STATE_CHANGE
    | 1 << probes.RETRANSMIT
    | 1 << probes.WINDOW_CLOSED
    | 1 << probes.WINDOW_OPENED
    | 1 << probes.RTT_SAMPLE
)
# Those of a handshake that say how long it took.
TIMED = (
    1 << probes.CONNECT_ESTABLISHED
    | 1 << probes.CONNECT_REFUSED
    | 1 << probes.ACCEPT_ESTABLISHED
    | 1 << probes.ACCEPT_REFUSED
)

CLOSED_BIT = 1 << probes.CLOSED
# Those that add something to their row.
ADD = sum(1 << probe.number for probe in probes.PROBES.values() if probe.fields)
# `fire_all` has the probes up to this one, `fire_drafted` and `fire_closed` the others.
_HIGHEST_PROBE = probes.DUPLICATE_FRAME


class Output(NamedTuple):
    """Where probes go; `state` of the table counts what is there."""

    rows: NDArray[np.void]  # PROBE_ROW
    fired: NDArray[
        np.uint8
    ]  # the number of the probe of each, side by side: all reports ask for it
    closed: NDArray[np.void]  # CLOSED_ROW
    details: NDArray[np.void]  # DETAIL
    draft: NDArray[np.void]  # DETAIL, shape (1,): what the next probe adds
    moment: NDArray[np.void]  # SEGMENT, shape (1,): for probes that no segment fires
    writes: NDArray[np.int64]  # scratch, see provider.stream
    places: NDArray[np.int64]  # scratch, see provider.looking_ahead
    heads: NDArray[np.int64]  # likewise


def make_output(rows: int) -> Output:
    """Room for so many rows of probes."""
    return Output(
        np.empty(rows, PROBE_ROW),
        np.empty(rows, np.uint8),
        np.empty(rows, CLOSED_ROW),
        np.empty(rows, DETAIL),
        np.zeros(1, DETAIL),
        np.zeros(1, SEGMENT),
        np.zeros((MAX_WRITES, 2), np.int64),
        np.zeros(RING, np.int64),
        np.zeros(RING, np.int64),
    )


@inlined
def viewed_from(connection: Row, probe: Integer, sender: Integer) -> Integer:
    """The ends a probe is seen from, FIRST_LOCAL | SECOND_LOCAL.

    `sender` is the end that sent the segment; for probes of one end, that end.
    """
    originator: Integer = np.int64(connection["originator"])
    local = np.int64(connection["local"])
    bit = 1 << probe
    if bit & FROM_ORIGINATOR != 0:
        wanted = FIRST_LOCAL << originator
    elif bit & FROM_RESPONDER != 0:
        wanted = FIRST_LOCAL << (1 - originator)
    elif bit & OF_ONE_END != 0:
        wanted = FIRST_LOCAL << sender
    elif local != 0:
        # `send` fires at the end that sends, `receive` at the other; the rest at every local end.
        wanted = BOTH_LOCAL
        if probe == probes.SEND:
            wanted = FIRST_LOCAL << sender
        elif probe == probes.RECEIVE:
            wanted = FIRST_LOCAL << (1 - sender)
    else:
        # Rule 5: no end is known to be local, the responder stands at the left.
        wanted = FIRST_LOCAL << (1 - originator)
        if probe == probes.FIRST_BYTE:
            wanted = BOTH_LOCAL
        elif (probe == probes.SEND and originator == sender) or (
            probe == probes.RECEIVE and originator != sender
        ):
            wanted = 0
    return wanted if local == 0 else wanted & local


@inlined
def _name_ends(row: Row, connection: Row, end: Integer) -> None:
    """The connection's ends, `end` at the left."""
    if end == 0:
        row["laddr_high"] = connection["first_high"]
        row["laddr_low"] = connection["first_low"]
        row["raddr_high"] = connection["second_high"]
        row["raddr_low"] = connection["second_low"]
        row["lport"] = connection["first_port"]
        row["rport"] = connection["second_port"]
    else:
        row["laddr_high"] = connection["second_high"]
        row["laddr_low"] = connection["second_low"]
        row["raddr_high"] = connection["first_high"]
        row["raddr_low"] = connection["first_low"]
        row["lport"] = connection["second_port"]
        row["rport"] = connection["first_port"]
    row["connection"] = connection["number"]
    originator = np.int64(connection["originator"])
    row["end"] = probes.ORIGINATOR if originator == end else probes.RESPONDER
    remote = SECOND_LOCAL if end == 0 else FIRST_LOCAL
    row["remote_local"] = 1 if np.int64(connection["local"]) & remote != 0 else 0


@inlined
def fire(
    output: Output,
    state: NDArray[np.int64],
    connection: Row,
    segment: Row,
    probe: Integer,
    end: Integer,
    sender: Integer,
    size: Integer,
    duplicate: Integer,
    detail: Integer,
) -> None:
    """Write the row of `probe`, fired by `segment` and seen from `end`."""
    row = output.rows[state[ROWS]]
    output.fired[state[ROWS]] = probe
    state[ROWS] += 1
    _name_ends(row, connection, end)
    row["packet"] = segment["packet"]
    row["time_ns"] = segment["time_ns"]
    row["clock_ns"] = segment["clock_ns"]
    row["bytes"] = size
    row["frame_bytes"] = segment["frame_bytes"]
    row["interface"] = segment["interface"]
    row["frame"] = segment["frame"]
    row["detail"] = detail
    row["flags"] = segment["flags"]
    row["probe"] = probe
    row["outgoing"] = 1 if sender == end else 0
    row["duplicate"] = duplicate
    row["digits"] = segment["digits"]


@kernel
def fire_all(
    output: Output,
    state: NDArray[np.int64],
    connection: Row,
    repeats: Integer,
    segment: Row,
    fired: Integer,
    sender: Integer,
    size: Integer,
    duplicate: Integer,
) -> None:
    """Write the rows of every probe whose bit is set in `fired`, for each end that sees it.

    `repeats` counts the SYNs that the originator sent again.
    """
    # Most segments fire no others.
    highest = probes.RECEIVE if fired < 1 << probes.RECEIVE + 1 else _HIGHEST_PROBE
    for probe in range(highest + 1):
        if fired >> probe & 1 == 0:
            continue
        ends = viewed_from(connection, probe, sender)
        if ends == 0:
            continue
        detail = -1
        if 1 << probe & TIMED != 0:
            draft = output.draft[0]
            draft["elapsed_ns"] = elapsed_since_syn(connection, np.int64(segment["time_ns"]))
            draft["count"] = repeats
            draft["ttl"] = segment["ttl"]
            detail = _write_draft(output, state)
            _empty_draft(output)
        for end in range(2):
            if ends >> end & 1 != 0:
                fire(
                    output,
                    state,
                    connection,
                    segment,
                    probe,
                    end,
                    sender,
                    size,
                    duplicate,
                    detail,
                )


@kernel
def elapsed_since_syn(connection: Row, time_ns: Integer) -> Integer:
    """Time since the connection's first SYN, never negative; -1 when that was not captured."""
    if np.int64(connection["flags"]) & (REQUESTED | MIDSTREAM) != REQUESTED:
        return -1
    return max(time_ns - np.int64(connection["start_ns"]), 0)


@kernel
def fire_drafted(
    output: Output,
    state: NDArray[np.int64],
    connection: Row,
    segment: Row,
    probe: Integer,
    of: Integer,
    sender: Integer,
) -> None:
    """Write the rows of `probe` with what is in the draft, which is empty again after it.

    `of` is the end that a probe of one end is of; of the others, the sender.
    """
    ends = viewed_from(connection, probe, of)
    # Nobody sees the probes of an end that is not local: these have no details either, or there
    # would be more of them than rows.
    detail = _write_draft(output, state) if ends != 0 and 1 << probe & ADD != 0 else -1
    _empty_draft(output)
    size = max(np.int64(segment["payload"]), -1)
    for end in range(2):
        if ends >> end & 1 != 0:
            fire(output, state, connection, segment, probe, end, sender, size, 0, detail)
            if ends == BOTH_LOCAL:
                output.rows[state[ROWS] - 1]["remote_local"] = 1


@inlined
def _write_draft(output: Output, state: NDArray[np.int64]) -> Integer:
    """Copy the draft to the next row of details; that row."""
    row = state[DETAIL_ROWS]
    state[DETAIL_ROWS] += 1
    draft, detail = output.draft[0], output.details[row]
    detail["elapsed_ns"] = draft["elapsed_ns"]
    detail["latency_ns"] = draft["latency_ns"]
    detail["sender_high"] = draft["sender_high"]
    detail["sender_low"] = draft["sender_low"]
    detail["sequence"] = draft["sequence"]
    detail["overlap"] = draft["overlap"]
    detail["count"] = draft["count"]
    detail["kind"] = draft["kind"]
    detail["code"] = draft["code"]
    detail["old"] = draft["old"]
    detail["new"] = draft["new"]
    detail["ttl"] = draft["ttl"]
    return row


@inlined
def _empty_draft(output: Output) -> None:
    draft = output.draft[0]
    draft["elapsed_ns"] = draft["latency_ns"] = 0
    draft["sender_high"] = draft["sender_low"] = 0
    draft["sequence"] = draft["overlap"] = draft["count"] = 0
    draft["kind"] = draft["code"] = draft["old"] = draft["new"] = draft["ttl"] = 0


@kernel
def fire_closed(
    output: Output,
    state: NDArray[np.int64],
    connection: Row,
    ends: NDArray[np.void],
    counted: NDArray[np.void],
    slot: Integer,
    reason: Integer,
    moment: Row,
    ttl: Integer,
) -> None:
    """Write `closed` with its totals for each end that sees it (under rule 5, the responder).

    `moment` is the segment at which it happens; `ttl` is 0 when that does not end the connection.
    """
    views = viewed_from(connection, probes.CLOSED, 0)
    conn_state = conn_state_of(connection, ends, slot, reason)
    for end in range(2):
        if views >> end & 1 == 0:
            continue
        row = output.rows[state[ROWS]]
        output.fired[state[ROWS]] = probes.CLOSED
        state[ROWS] += 1
        _name_ends(row, connection, end)
        row["packet"] = moment["packet"]
        row["time_ns"] = moment["time_ns"]
        row["clock_ns"] = moment["clock_ns"]
        row["bytes"] = 0
        row["frame_bytes"] = -1
        row["interface"] = -1
        row["frame"] = -1
        row["detail"] = state[CLOSED_ROWS]
        row["flags"] = 0
        row["probe"] = probes.CLOSED
        row["outgoing"] = 0
        row["duplicate"] = 0
        row["digits"] = moment["digits"]
        totals = output.closed[state[CLOSED_ROWS]]
        state[CLOSED_ROWS] += 1
        sent = counted[2 * slot + end]
        received = counted[2 * slot + 1 - end]
        totals["start_ns"] = connection["start_ns"]
        totals["tx_payload"] = sent["payload"]
        totals["rx_payload"] = received["payload"]
        totals["tx_retransmitted"] = sent["retransmitted"]
        totals["rx_retransmitted"] = received["retransmitted"]
        totals["tx_probe"] = sent["probe"]
        totals["rx_probe"] = received["probe"]
        totals["tx_segments"] = sent["segments"]
        totals["rx_segments"] = received["segments"]
        totals["end_reason"] = reason
        totals["midstream"] = 1 if np.int64(connection["flags"]) & MIDSTREAM != 0 else 0
        totals["last_ns"] = max(np.int64(sent["last_ns"]), np.int64(received["last_ns"]))
        totals["conn_state"] = conn_state
        totals["ttl"] = ttl
