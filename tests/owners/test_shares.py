"""Shares of ends and bytes by quality."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.owners import EXACT, UNKNOWN, Owner, Process
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.shares import Shares
from tests.owners.tracing.story import packet


def test_ends_count_by_their_latest_answer_and_bytes_by_that_of_their_row() -> None:
    pool = OwnerPool()
    unknown = pool.code(Owner(UNKNOWN, reason="gone"))
    exact = pool.code(Owner(EXACT, Process(1, 1, "x")))
    shares = Shares(pool)
    assert list(shares.lines()) == ["no connections"]
    shares.count(
        np.concatenate([packet(1, 1, ORIGINATOR, payload=30), packet(2, 2, RESPONDER, payload=50)]),
        np.array([unknown, unknown], np.int32),
    )
    copy = packet(3, 1, ORIGINATOR, payload=1000)
    copy["duplicate"] = 1
    shares.count(
        np.concatenate([packet(3, 1, ORIGINATOR, payload=20), copy]),
        np.array([unknown, exact], np.int32),
    )
    assert list(shares.lines()) == [
        "2 connection ends: unknown 50.0 %, exact 50.0 % (gone 1)",
        "100 payload bytes: unknown 100.0 %",
    ]


def test_qualities_and_reasons_may_come_later() -> None:
    pool = OwnerPool()
    shares = Shares(pool)
    one, other = packet(1, 1, ORIGINATOR, payload=10), packet(2, 2, ORIGINATOR)
    gone = pool.code(Owner(UNKNOWN, reason="gone"))
    shares.count(np.concatenate([one, other]), np.array([gone, gone], np.int32))
    late = pool.code(Owner(UNKNOWN, reason="not in time"))
    exact = pool.code(Owner(EXACT, Process(1, 1, "x")))
    shares.count(np.concatenate([one, other, one]), np.array([late, gone, exact], np.int32))
    assert list(shares.lines()) == [
        "2 connection ends: unknown 50.0 %, exact 50.0 % (gone 1)",
        "30 payload bytes: unknown 66.7 %, exact 33.3 %",
    ]
