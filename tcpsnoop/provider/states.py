"""The state of each end of a connection, as far as the wire shows it (RFC 9293 section 3.3.2).

The machine is the table below; the documentation draws it from there. Both ends go through it, each
by what it sends and what it gets. Timers are invisible: TIME-WAIT does not end.
"""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.probes import STATES
from tcpsnoop.kernel import Integer, inlined

(
    CLOSED,
    LISTEN,
    SYN_SENT,
    SYN_RECEIVED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    CLOSE_WAIT,
    CLOSING,
    LAST_ACK,
    TIME_WAIT,
) = range(len(STATES))

EVENTS = (
    "sends SYN",
    "gets SYN",
    "sends SYN|ACK",
    "gets SYN|ACK",
    "sends ACK",
    "gets ACK of its SYN",
    "sends FIN",
    "gets ACK of its FIN",
    "gets FIN",
    "sends or gets RST",
)
(
    SENDS_SYN,
    GETS_SYN,
    SENDS_SYN_ACK,
    GETS_SYN_ACK,
    SENDS_ACK,
    GETS_ACK_OF_SYN,
    SENDS_FIN,
    GETS_ACK_OF_FIN,
    GETS_FIN,
    RESETS,
) = range(len(EVENTS))

# What leads where; any other event leaves the state as it is.
TRANSITIONS = {
    (CLOSED, SENDS_SYN): SYN_SENT,
    (LISTEN, GETS_SYN): SYN_RECEIVED,
    (LISTEN, SENDS_SYN_ACK): SYN_RECEIVED,
    (SYN_SENT, GETS_SYN): SYN_RECEIVED,
    (SYN_SENT, GETS_SYN_ACK): ESTABLISHED,
    (SYN_SENT, SENDS_ACK): ESTABLISHED,  # the SYN|ACK was not captured
    (SYN_RECEIVED, GETS_SYN_ACK): ESTABLISHED,
    (SYN_RECEIVED, GETS_ACK_OF_SYN): ESTABLISHED,
    (SYN_RECEIVED, SENDS_FIN): FIN_WAIT_1,
    (SYN_RECEIVED, GETS_FIN): CLOSE_WAIT,
    (ESTABLISHED, SENDS_FIN): FIN_WAIT_1,
    (ESTABLISHED, GETS_FIN): CLOSE_WAIT,
    (FIN_WAIT_1, GETS_ACK_OF_FIN): FIN_WAIT_2,
    (FIN_WAIT_1, GETS_FIN): CLOSING,
    (FIN_WAIT_2, GETS_FIN): TIME_WAIT,
    (CLOSE_WAIT, SENDS_FIN): LAST_ACK,
    (CLOSING, GETS_ACK_OF_FIN): TIME_WAIT,
    (LAST_ACK, GETS_ACK_OF_FIN): CLOSED,
} | {(state, RESETS): CLOSED for state in range(SYN_SENT, len(STATES))}

_NEXT = np.tile(np.arange(len(STATES), dtype=np.uint8)[:, np.newaxis], (1, len(EVENTS)))
for (_state, _event), _new in TRANSITIONS.items():
    _NEXT[_state, _event] = _new


@inlined
def after(state: Integer, event: Integer) -> Integer:
    """The state in which `event` leaves an end that is in `state`."""
    return np.int64(_NEXT[state, event])
