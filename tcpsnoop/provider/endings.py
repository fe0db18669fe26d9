"""How a connection went, in Zeek's words: `conn_state` (SEMANTICS 11, Zeek's conn.log)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probes import CONN_STATES, END_REASONS
from tcpsnoop.kernel import Integer, Row, kernel
from tcpsnoop.provider.memory import FIN_SENT, HEARD, SYN_ACKED, SYN_SENT

_BY_ORIGINATOR = END_REASONS.index("rst_originator")
_BY_RESPONDER = END_REASONS.index("rst_responder")

(S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR, OTH) = range(len(CONN_STATES))


@kernel
def conn_state_of(
    connection: Row, ends: NDArray[np.void], slot: Integer, reason: Integer
) -> Integer:
    """Index in CONN_STATES of the connection in row `slot` that ends for `reason`."""
    side = np.int64(connection["originator"])
    originator = np.int64(ends[2 * slot + side]["flags"])
    responder = np.int64(ends[2 * slot + 1 - side]["flags"])
    asked = originator & SYN_SENT != 0
    if asked and responder & SYN_SENT != 0:
        return _of_established(originator, responder, reason)
    if asked:
        if reason == _BY_RESPONDER:
            return REJ
        if reason == _BY_ORIGINATOR:
            return RSTOS0
        if responder & (HEARD | FIN_SENT) != 0:
            return OTH  # its SYN|ACK was not captured
        return SH if originator & FIN_SENT != 0 else S0
    if responder & SYN_ACKED != 0:
        if reason == _BY_RESPONDER:
            return RSTRH
        if reason != _BY_ORIGINATOR and responder & FIN_SENT != 0 and originator & FIN_SENT == 0:
            return SHR
    return OTH


@kernel
def _of_established(originator: Integer, responder: Integer, reason: Integer) -> Integer:
    if reason == _BY_ORIGINATOR:
        return RSTO
    if reason == _BY_RESPONDER:
        return RSTR
    if originator & FIN_SENT != 0:
        return SF if responder & FIN_SENT != 0 else S2
    return S3 if responder & FIN_SENT != 0 else S1
