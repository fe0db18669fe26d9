"""What rows tell about each end of a connection."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.probes import CLOSED, ORIGINATOR, RESPONDER
from tcpsnoop.batches.segments import ACK, FIN, PUSH, RST, SYN
from tcpsnoop.owners.evidence import NEVER, keys_of, sightings, tells_an_end
from tests.owners.proc_tree import Place, seen

HERE: Place = ("192.168.1.5", 80)
THERE: Place = ("2001:db8::9", 50000)


BEGUN, ANSWERING, FIN_SENT, FIN_RECEIVED, ENDED = range(5)


@pytest.mark.parametrize(
    ("flags", "outgoing", "told"),
    [
        (SYN, True, {BEGUN, ANSWERING}),
        (SYN, False, {BEGUN}),
        (SYN | ACK, True, {BEGUN, ANSWERING}),
        (PUSH | ACK, False, set()),
        (FIN | ACK, True, {ANSWERING, FIN_SENT}),
        (FIN | ACK, False, {FIN_RECEIVED}),
        (RST | ACK, True, {ENDED}),  # the kernel answers so where there is no socket
        (RST, False, {ENDED}),
    ],
)
def test_what_a_segment_tells(flags: int, outgoing: bool, told: set[int]) -> None:
    row = seen(7, RESPONDER, HERE, THERE, flags=flags, outgoing=outgoing, time_ns=123)
    (sighting,) = sightings(row, keys_of(row))
    assert sighting[:5] == (15, halves(HERE[0]), 80, halves(THERE[0]), 50000)
    assert (sighting.last_ns, sighting.first_ns) == (123, 123)
    assert sighting[7:] == tuple(123 if number in told else NEVER for number in range(5))
    assert tells_an_end(row).tolist() == [bool(flags & (FIN | RST))]


def test_the_end_of_a_connection_is_no_segment() -> None:
    row = seen(7, ORIGINATOR, HERE, THERE, probe=CLOSED, time_ns=123)
    (sighting,) = sightings(row, keys_of(row))
    assert sighting[7:] == (NEVER, NEVER, NEVER, NEVER, 123)
    assert tells_an_end(row).all()


def test_rows_of_an_end_count_together_and_ends_apart() -> None:
    rows = np.concatenate(
        [
            seen(9, ORIGINATOR, THERE, HERE, flags=SYN, time_ns=10),
            seen(7, RESPONDER, HERE, THERE, flags=FIN | ACK, outgoing=False, time_ns=20),
            seen(7, ORIGINATOR, THERE, HERE, flags=FIN | ACK, time_ns=21),
            seen(7, RESPONDER, HERE, THERE, flags=ACK, time_ns=40),
            seen(7, RESPONDER, HERE, THERE, flags=FIN | ACK, outgoing=False, time_ns=30),
            seen(7, RESPONDER, HERE, THERE, flags=ACK, time_ns=50),
        ]
    )
    told = [(each.key, each.lport, *each[5:]) for each in sightings(rows, keys_of(rows))]
    assert told == [
        (14, 50000, 21, 21, NEVER, 21, 21, NEVER, NEVER),
        (15, 80, 50, 20, NEVER, 40, NEVER, 20, NEVER),
        (18, 50000, 10, 10, 10, 10, NEVER, NEVER, NEVER),
    ]
