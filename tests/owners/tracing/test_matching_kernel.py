"""Ends of connections in their table; whose they are is in test_traced."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.probes import RESPONDER
from tcpsnoop.batches.segments import ACK, RST, SYN
from tcpsnoop.owners.tracing.matching_kernel import (
    ANSWERED,
    ELSEWHERE,
    REFUSED,
    SYN_SEEN,
)
from tcpsnoop.owners.tracing.tables import CAPTURED_NS, NEVER
from tests.owners.tracing.story import HERE, NOON, THERE, Story, packet, refusal, syn


def test_what_packets_tell_of_an_end() -> None:
    story = Story("10.0.0.9")
    rows = np.concatenate(
        [
            syn(10),
            packet(30, flags=ACK),
            packet(40, 2, RESPONDER, (THERE, HERE), SYN, sent=False),
            refusal(50, 2),
            packet(60, 3, ends=(("10.0.0.9", 5), THERE)),
        ]
    )
    story.traced.see(rows)
    ends = story.traced._ends
    assert ends["flags"][[2, 5, 6]].tolist() == [
        SYN_SEEN | ANSWERED,
        SYN_SEEN | REFUSED,
        ANSWERED | ELSEWHERE,
    ]
    assert ends["first_ns"][[2, 5, 6]].tolist() == [NOON + at * 1000 for at in (10, 40, 60)]
    assert ends["ended_ns"][[2, 5]].tolist() == [NEVER, NOON + 50_000]
    assert story.tables.state[CAPTURED_NS] == NOON + 60_000


def test_an_end_knows_when_the_next_one_in_its_place_began() -> None:
    story = Story()
    story.traced.see(np.concatenate([syn(10, 1), packet(20, 1, flags=RST), syn(30, 2)]))
    ends = story.traced._ends
    assert ends["next_ns"][[2, 4]].tolist() == [NOON + 30_000, NEVER]


def test_seeing_rows_again_changes_nothing() -> None:
    story = Story()
    rows = np.concatenate([syn(10, 1), packet(20, 1, flags=RST), syn(30, 2)])
    story.traced.see(rows)
    before = story.traced._ends.copy()
    story.traced.see(rows)
    assert (story.traced._ends == before).all()
