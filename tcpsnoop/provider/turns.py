"""Turns: from the last byte of a request to the first of its answer (SEMANTICS 10)."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches import probes
from tcpsnoop.kernel import Integer, Row, kernel
from tcpsnoop.provider.firing import Output, fire_drafted
from tcpsnoop.provider.memory import ASKED, NEW_BYTES, NONE, SERVED, ConnectionTable

FIRST_BYTE = 1 << probes.FIRST_BYTE


@kernel
def take_turn(
    segment: Row, table: ConnectionTable, output: Output, slot: Integer, sender: Integer
) -> None:
    """Fire `first-byte` when the responder's first new byte answers; after it was followed."""
    if table.state[NEW_BYTES] <= 0:
        return
    connection, opening = table.connections[slot], table.openings[slot]
    time_ns = np.int64(segment["time_ns"])
    known = np.int64(opening["known"])
    if sender == np.int64(connection["originator"]):
        opening["request_ns"] = time_ns
        opening["known"] = known | ASKED
        return
    opening["known"] = known | SERVED
    since_ns = np.int64(opening["request_ns"])
    # A server that speaks first is measured from the end of the handshake.
    greets = since_ns == NONE and known & (ASKED | SERVED) == 0
    if greets:
        since_ns = np.int64(opening["accepted_ns"])
    opening["request_ns"] = NONE
    if since_ns == NONE:
        return
    draft = output.draft[0]
    elapsed_ns: Integer = max(time_ns - since_ns, 0)
    draft["elapsed_ns"] = elapsed_ns
    network_ns = np.int64(opening["syn_rtt_ns"])
    draft["latency_ns"] = NONE if network_ns < 0 else max(elapsed_ns - network_ns, 0)
    draft["kind"] = 1 if greets else 0
    fire_drafted(output, table.state, connection, segment, probes.FIRST_BYTE, sender, sender)
