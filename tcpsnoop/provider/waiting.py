"""Unanswered SYNs in the order of their capture time, so that the oldest is at hand.

All wait equally long, so a list is enough: a SYN that is sent again goes to its end.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.kernel import Integer, kernel
from tcpsnoop.provider.memory import NONE, WAITING_FIRST, WAITING_LAST, WAITS, ConnectionTable

# How long Linux waits for an answer to the last SYN of a connection: 1 + 2 + 4 + ... + 64 s
# (tcp_syn_retries = 6, RFC 6298 section 5.5).
PATIENCE_NS = 127_000_000_000
# At the end of the input, a SYN older than this has no answer: by then it was sent again.
PATIENCE_AT_END_NS = 3_000_000_000


@kernel
def wait(table: ConnectionTable, slot: Integer, clock_ns: Integer) -> None:
    """The connection in row `slot` sent a SYN, perhaps not its first."""
    stop_waiting(table, slot)
    opening = table.openings[slot]
    last = table.state[WAITING_LAST]
    opening["syn_clock_ns"] = clock_ns
    opening["known"] = np.int64(opening["known"]) | WAITS
    opening["before"] = last
    opening["after"] = NONE
    if last >= 0:
        table.openings[last]["after"] = slot
    else:
        table.state[WAITING_FIRST] = slot
    table.state[WAITING_LAST] = slot


@kernel
def stop_waiting(table: ConnectionTable, slot: Integer) -> None:
    """It waits no more, if it did."""
    opening = table.openings[slot]
    known = np.int64(opening["known"])
    if known & WAITS == 0:
        return
    opening["known"] = known & ~WAITS
    before, after = np.int64(opening["before"]), np.int64(opening["after"])
    if before >= 0:
        table.openings[before]["after"] = after
    else:
        table.state[WAITING_FIRST] = after
    if after >= 0:
        table.openings[after]["before"] = before
    else:
        table.state[WAITING_LAST] = before
