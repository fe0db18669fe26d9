"""Segments as rows: each once, and the values of its columns."""

from __future__ import annotations

from tcpsnoop.batches.segments import ACK, PUSH
from tcpsnoop.interfaces.segments import BYTES, ENDS, FLAGS, PACKET, once, segment_values
from tcpsnoop.report import Grid, Schema, Table
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

SCHEMA = Schema((*PACKET, *ENDS, BYTES, FLAGS), Grid((), ()))


def test_between_two_local_ends_a_segment_is_that_of_its_sender() -> None:
    batch = batch_of(
        [
            row("receive", "10.0.0.1 80", "10.0.0.2 5001", packet=1),
            row("send", "127.0.0.1 80", "127.0.0.1 5000", packet=2, remote_local=1),
            row("receive", "127.0.0.1 5000", "127.0.0.1 80", packet=2, remote_local=1),
            row("send", "10.0.0.1 80", "10.0.0.2 5001", packet=3),
        ]
    )
    origin, rows = once(batch)
    assert origin.tolist() == [0, 1, 3]
    assert rows.rows["packet"].tolist() == [1, 2, 3]
    assert rows.rows["outgoing"].tolist() == [0, 1, 1]


def test_a_batch_without_such_segments_stays_as_it_is() -> None:
    batch = batch_of([row("send", "10.0.0.1 80", "10.0.0.2 5001")])
    origin, rows = once(batch)
    assert origin.tolist() == [0]
    assert rows is batch


def test_the_columns_of_a_segment() -> None:
    fields = {"packet": 7, "time_ns": START_NS + 2_000, "bytes": -1, "flags": PUSH | ACK}
    values = segment_values(batch_of([row("receive", "10.0.0.1 80", "::1 5000", **fields)]))
    assert dictionaries(Table(SCHEMA, values)) == [
        {
            "packet": 7,
            "time": "2006-05-13T08:00:00.000002Z",
            "laddr": "10.0.0.1",
            "lport": 80,
            "direction": "<-",
            "raddr": "::1",
            "rport": 5000,
            "bytes": None,
            "flags": "PUSH|ACK",
        }
    ]
