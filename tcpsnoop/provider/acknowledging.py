"""What a segment's ACK says: the same as before, and whether the window is 0 (SEMANTICS 6, 7)."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches import probes
from tcpsnoop.batches.segments import ACK, FIN, OPTION_SACK, RST, SYN
from tcpsnoop.kernel import Integer, Row, Truth, kernel
from tcpsnoop.provider.firing import Output, fire_drafted
from tcpsnoop.provider.memory import (
    HAS_ACKED,
    HAS_SPOKEN,
    KEPT_ALIVE,
    PROBED,
    SACKED,
    SHUT,
    ConnectionTable,
)
from tcpsnoop.provider.sequence import MODULUS_MASK, distance
from tcpsnoop.provider.stream import NO_PROBE


@kernel
def judge_ack(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    kept_alive: Integer,
) -> None:
    """Fire what its acknowledgment and its window say, after it was followed.

    `kept_alive` is KEPT_ALIVE when the latest segment the other way was a keep-alive: its answer is
    no duplicate ACK.
    """
    flags = np.int64(segment["flags"])
    if flags & RST != 0:
        return
    mine = table.analyses[2 * slot + sender]
    window = np.int64(segment["window"])
    if flags & ACK != 0:
        _take_number(segment, table, output, slot, sender, wanted, kept_alive)
    if flags & SYN == 0:
        _take_window(segment, table, output, slot, sender, wanted)
    mine["window"] = window
    _reach(segment, table, slot, sender)


@kernel
def _take_number(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
    kept_alive: Integer,
) -> None:
    mine = table.analyses[2 * slot + sender]
    known = np.int64(mine["known"])
    number = np.int64(segment["acknowledgment"])
    window = np.int64(segment["window"])
    if known & HAS_ACKED == 0 or distance(number, np.int64(mine["ack"])) > 0:
        mine["ack"] = number
        mine["duplicates"] = 0
    elif number != np.int64(mine["ack"]):
        return  # it came late
    elif (
        np.int64(segment["payload"]) == 0
        and np.int64(segment["flags"]) & (SYN | FIN) == 0
        and window == np.int64(mine["window"])
        and window != 0
        and kept_alive & KEPT_ALIVE == 0
        and _comes_next(segment, table, slot, sender)
    ):
        mine["duplicates"] = np.int64(mine["duplicates"]) + 1
        if wanted >> probes.DUPLICATE_ACK & 1 != 0:
            output.draft[0]["count"] = min(np.int64(mine["duplicates"]), 2**31 - 1)
            connection = table.connections[slot]
            fire_drafted(
                output, table.state, connection, segment, probes.DUPLICATE_ACK, sender, sender
            )
    mine["ack_ns"] = segment["time_ns"]
    sacked = SACKED if np.int64(segment["options"]) & OPTION_SACK != 0 else 0
    mine["known"] = known & ~SACKED | HAS_ACKED | sacked


@kernel
def _comes_next(segment: Row, table: ConnectionTable, slot: Integer, sender: Integer) -> Truth:
    """It was sent after all the data before it, be it that some of these were not captured."""
    sequence = np.int64(segment["sequence"])
    following = np.int64(table.streams[2 * slot + sender]["next"])
    highest = np.int64(table.analyses[2 * slot + sender]["highest"])
    return sequence == highest or sequence == following & MODULUS_MASK


@kernel
def _reach(segment: Row, table: ConnectionTable, slot: Integer, sender: Integer) -> None:
    """Keep the highest number; the byte of a window probe is none until it is taken."""
    flags = np.int64(segment["flags"])
    if table.state[PROBED] != NO_PROBE:
        return
    mine = table.analyses[2 * slot + sender]
    numbers: Integer = max(np.int64(segment["payload"]), 0)
    numbers += (1 if flags & SYN != 0 else 0) + (1 if flags & FIN != 0 else 0)
    behind = (np.int64(segment["sequence"]) + numbers) & MODULUS_MASK
    if np.int64(mine["known"]) & HAS_SPOKEN == 0 or distance(behind, np.int64(mine["highest"])) > 0:
        mine["highest"] = behind
        mine["known"] = np.int64(mine["known"]) | HAS_SPOKEN


@kernel
def _take_window(
    segment: Row,
    table: ConnectionTable,
    output: Output,
    slot: Integer,
    sender: Integer,
    wanted: Integer,
) -> None:
    mine, spell = table.analyses[2 * slot + sender], table.spells[2 * slot + sender]
    known = np.int64(mine["known"])
    time_ns = np.int64(segment["time_ns"])
    shut = np.int64(segment["window"]) == 0
    if shut == (known & SHUT != 0):
        return
    probe = probes.WINDOW_CLOSED if shut else probes.WINDOW_OPENED
    if shut:
        spell["window_ns"] = time_ns
    else:
        output.draft[0]["elapsed_ns"] = max(time_ns - np.int64(spell["window_ns"]), 0)
    mine["known"] = known ^ SHUT
    if wanted >> probe & 1 != 0:
        connection = table.connections[slot]
        fire_drafted(output, table.state, connection, segment, probe, sender, sender)
    output.draft[0]["elapsed_ns"] = 0
