"""One direction's bytes: what is new, what was seen before, what is a probe.

SEMANTICS 7. `next` of an end is the next sequence number in order, unwrapped to int64. Bytes
above it wait in `held`; a hole that the other end acknowledges was not captured and is passed over.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tcpsnoop.kernel import Integer, Row, Truth, inlined, kernel
from tcpsnoop.provider.intervals import (
    BOUNDARY,
    FINAL,
    NOTHING,
    Intervals,
    State,
    fill_holes,
    hold,
    hole_at,
    mark,
    release,
    release_all,
    remember_hole,
)
from tcpsnoop.provider.memory import (
    ANALYSES,
    BELOW_ZERO,
    COUNTS,
    FOLLOWED,
    HAS_SENT,
    HOLE_SINCE,
    HOLE_START,
    ISN_IMPLIED,
    NEW_BYTES,
    NONE,
    PARTING,
    PICKED_UP,
    PROBE_PENDING,
    PROBED,
    SYN_SENT,
    WRITES,
    ConnectionTable,
)
from tcpsnoop.provider.sequence import MODULUS_MASK, unwrap
from tcpsnoop.provider.writes import VOID, Writes, end_write_before, extend, write_on

# What `follow` leaves in PROBED.
NO_PROBE = 0
KEEP_ALIVE = 1
WINDOW_PROBE = 2


@inlined
def follow(
    table: ConnectionTable,
    pool: Intervals,
    writes: Writes,
    slot: Integer,
    end: Integer,
    segment: Row,
) -> None:
    """Take one segment, no copy, sent by end `end` of the connection in row `slot`.

    What it was is left in NEW_BYTES, PROBED, HOLE_SINCE and HOLE_START of the state.
    """
    state = table.state
    sequence = np.int64(segment["sequence"])
    payload = np.int64(segment["payload"])
    flags = np.int64(segment["flags"])
    sender = table.streams[2 * slot + end]
    receiver = table.streams[2 * slot + 1 - end]
    mine, theirs = table.ends[2 * slot + end], table.ends[2 * slot + 1 - end]
    first = np.int64(mine["stream"]) & HAS_SENT == 0
    mine["stream"] = np.int64(mine["stream"]) | HAS_SENT
    time_ns = np.int64(segment["time_ns"])
    if state[COUNTS] != 0:
        _count_segment(table.totals[2 * slot + end], payload, time_ns)
    state[NEW_BYTES] = state[PROBED] = 0
    state[HOLE_SINCE] = NONE
    if flags & RST != 0:
        return
    if flags & ACK != 0 and np.int64(theirs["stream"]) & FOLLOWED != 0:
        acknowledgment = np.int64(segment["acknowledgment"])
        if _acknowledge(pool, state, writes, receiver, theirs, 1 - end, acknowledgment, time_ns):
            _count(table, 2 * slot + 1 - end, 0, -1)
    mine["window"] = segment["window"]
    if payload < 0:
        # Cut, and no declared length: nobody knows where the next segment begins.
        mine["stream"] = np.int64(mine["stream"]) & ~(FOLLOWED | PROBE_PENDING)
        sender["acknowledged"] = NONE
        sender["writing"] = VOID
        release_all(pool, state, sender)
        return
    start = (sequence + 1) & MODULUS_MASK if flags & SYN != 0 else sequence
    if np.int64(mine["stream"]) & FOLLOWED == 0:
        _begin(sender, mine, start, first)
    ending = flags & (FIN | state[PARTING])
    if payload == 0 and ending == 0 and state[ANALYSES] == 0:
        return
    place = unwrap(start, np.int64(sender["next"]))
    if payload <= 1 and flags & (SYN | FIN) == 0:
        state[PROBED] = _probe_of(sender, mine, theirs, place, payload)
        if state[PROBED] != NO_PROBE:
            _count(table, 2 * slot + end, 0, payload)
            return
    if payload == 0 and ending == 0:
        return
    earlier, following = state[WRITES], np.int64(sender["next"])
    state[HOLE_START] = following
    ends = FINAL if flags & FIN != 0 else (BOUNDARY if ending != 0 else NOTHING)
    if place == following and np.int64(sender["held"]) < 0:
        # In order and nothing waits: nearly always, so without a call.
        new = payload
        extend(state, writes, sender, end, payload, ends)
    else:
        if state[ANALYSES] != 0:
            hole_at(pool, state, sender, place, place + payload)
        new = _take(pool, state, writes, sender, mine, end, place, payload, ends, time_ns)
        _count(table, 2 * slot + end, payload - new, 0)
    state[NEW_BYTES] = new
    known = np.int64(mine["stream"])
    if known & PROBE_PENDING != 0 and np.int64(sender["next"]) != following:
        mine["stream"] = known & ~PROBE_PENDING
    if new > 0 and np.int64(receiver["writing"]) != 0:
        end_write_before(state, writes, receiver, 1 - end, earlier)


@inlined
def _count_segment(totals: Row, payload: Integer, time_ns: Integer) -> None:
    totals["last_ns"] = time_ns
    totals["segments"] = np.int64(totals["segments"]) + 1
    totals["payload"] += max(payload, 0)


@inlined
def _count(table: ConnectionTable, index: Integer, retransmitted: Integer, probe: Integer) -> None:
    """Add to the totals of an end, where somebody will ask for them."""
    if table.state[COUNTS] != 0:
        totals = table.totals[index]
        totals["retransmitted"] += retransmitted
        totals["probe"] = np.int64(totals["probe"]) + probe


@kernel
def _begin(sender: Row, end: Row, start: Integer, first: Truth) -> None:
    """The first segment of this end, or the first after one of unknown length."""
    known = np.int64(end["flags"])
    if known & ISN_IMPLIED != 0 and first:
        # Bytes that the SYN|ACK did not acknowledge come behind it, captured or not.
        start = (np.int64(end["isn"]) + 1) & MODULUS_MASK
    sender["next"] = start
    sender["lowest"] = start
    begun = FOLLOWED if known & (SYN_SENT | ISN_IMPLIED) != 0 else FOLLOWED | PICKED_UP
    end["stream"] = (np.int64(end["stream"]) | begun) & ~BELOW_ZERO


@inlined
def _acknowledge(
    pool: Intervals,
    state: State,
    writes: Writes,
    end: Row,
    row: Row,
    which: Integer,
    acknowledgment: Integer,
    time_ns: Integer,
) -> Truth:
    """The other end has all bytes of this end before `acknowledgment`; `row` is its row of END.

    Whether the byte of a zero-window probe turned out to be data by it.
    """
    taken = False
    reached = unwrap(acknowledgment, np.int64(end["next"]))
    known = np.int64(row["stream"])
    if known & PROBE_PENDING != 0 and reached > np.int64(end["next"]):
        # The byte of the zero-window probe was taken: it was data after all.
        row["stream"] = known & ~PROBE_PENDING
        taken = True
        end["next"] += 1
        write_on(state, end, 1)
        _drain(pool, state, writes, end, which)
    while reached > np.int64(end["next"]):
        _pass_hole(pool, state, writes, end, which, reached, time_ns)
    # Whether it moves on is anybody's guess, a processor's too: so it is written in any case.
    before = np.int64(end["acknowledged"])
    end["acknowledged"] = reached if (reached > before) | (before < 0) else before
    return taken


@kernel
def _pass_hole(
    pool: Intervals,
    state: State,
    writes: Writes,
    end: Row,
    which: Integer,
    reached: Integer,
    time_ns: Integer,
) -> None:
    """The bytes up to `reached`, or to those held, were never captured."""
    until, since_ns = reached, time_ns
    first = np.int64(end["held"])
    if first >= 0:
        until = min(until, np.int64(pool[first]["start"]))
        since_ns = np.int64(pool[first]["since_ns"])
    remember_hole(pool, state, end, np.int64(end["next"]), until, since_ns)
    end["next"] = until
    end["writing"] = VOID
    _drain(pool, state, writes, end, which)


@kernel
def _drain(pool: Intervals, state: State, writes: Writes, end: Row, which: Integer) -> None:
    """Take what is held and is in order now."""
    here = np.int64(end["held"])
    while here >= 0 and np.int64(pool[here]["start"]) <= np.int64(end["next"]):
        stop = np.int64(pool[here]["stop"])
        ends = np.int64(pool[here]["ends"])
        if ends == FINAL:
            stop -= 1
        extend(state, writes, end, which, stop - np.int64(end["next"]), ends)
        here = release(pool, state, here)
    end["held"] = here


@inlined
def _probe_of(sender: Row, mine: Row, theirs: Row, place: Integer, payload: Integer) -> Integer:
    """Whether it is a keep-alive or a zero-window probe (SEMANTICS 7)."""
    following = np.int64(sender["next"])
    if place == following - 1 and np.int64(sender["acknowledged"]) >= following:
        return KEEP_ALIVE
    if (
        payload == 1
        and place == following
        and np.int64(theirs["window"]) == 0
        and np.int64(theirs["stream"]) & FOLLOWED != 0
    ):
        mine["stream"] = np.int64(mine["stream"]) | PROBE_PENDING
        return WINDOW_PROBE
    return NO_PROBE


@kernel
def _take(
    pool: Intervals,
    state: State,
    writes: Writes,
    sender: Row,
    mine: Row,
    which: Integer,
    start: Integer,
    payload: Integer,
    ends: Integer,
    time_ns: Integer,
) -> Integer:
    """Data, FIN or PUSH at the unwrapped `start`; how many bytes are new.

    `ends` says what ends behind them.
    """
    stop = start + payload
    following = np.int64(sender["next"])
    new = 0
    if start < following:
        below = min(stop, following)
        new = _take_early(pool, state, sender, mine, start, below, time_ns) + fill_holes(
            pool, state, sender, start, below
        )
        start = below
    while np.int64(sender["next"]) < start:
        fresh = _wait(pool, state, sender, start, stop, ends, time_ns)
        if fresh >= 0:
            return fresh
        # Too many holes at once: the first one is given up.
        _pass_hole(pool, state, writes, sender, which, start, time_ns)
    if stop >= np.int64(sender["next"]):
        new += _join(pool, state, writes, sender, which, stop, ends)
    return new


@kernel
def _wait(
    pool: Intervals,
    state: State,
    sender: Row,
    start: Integer,
    stop: Integer,
    ends: Integer,
    time_ns: Integer,
) -> Integer:
    """Hold what is out of order; how many bytes are new, negative if there is no room."""
    if ends != FINAL:
        return hold(pool, state, sender, start, stop, ends, time_ns)
    fresh = hold(pool, state, sender, start, stop, NOTHING, time_ns)
    # The FIN takes a number of its own; if there is no room for it, its ACK tells of it.
    hold(pool, state, sender, stop, stop + 1, FINAL, time_ns)
    return fresh


@kernel
def _join(
    pool: Intervals,
    state: State,
    writes: Writes,
    sender: Row,
    which: Integer,
    stop: Integer,
    ends: Integer,
) -> Integer:
    """Take the bytes from `next` to `stop`, and what is held between and behind them.

    How many are new.
    """
    if ends == BOUNDARY:
        mark(pool, state, sender, np.int64(sender["next"]), stop)
    new = 0
    while True:
        until = stop
        first = np.int64(sender["held"])
        if first >= 0:
            until = min(until, np.int64(pool[first]["start"]))
        fresh = until - np.int64(sender["next"])
        new += fresh
        extend(state, writes, sender, which, fresh, ends if until == stop else NOTHING)
        _drain(pool, state, writes, sender, which)
        if np.int64(sender["next"]) >= stop:
            return new


@kernel
def _take_early(
    pool: Intervals,
    state: State,
    sender: Row,
    mine: Row,
    start: Integer,
    stop: Integer,
    time_ns: Integer,
) -> Integer:
    """Bytes below the first ever captured of an end that was picked up midstream: these are new."""
    flags = np.int64(mine["stream"])
    if flags & PICKED_UP == 0:
        return 0
    lowest = np.int64(sender["lowest"])
    if flags & BELOW_ZERO != 0:
        lowest -= MODULUS_MASK + 1
    if start >= lowest:
        return 0
    sender["lowest"] = start & MODULUS_MASK
    if start < 0:
        mine["stream"] = flags | BELOW_ZERO
    if stop < lowest:
        remember_hole(pool, state, sender, stop, lowest, time_ns)
    return min(stop, lowest) - start
