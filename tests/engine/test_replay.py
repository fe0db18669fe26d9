"""One reporter over frames or a file, without a run."""

from __future__ import annotations

import pytest

from tcpsnoop.engine.replay import replay
from tcpsnoop.errors import UsageError
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.io import Io
from tcpsnoop.reporters.wdist import Wdist
from tests.cli.made import ANSWER, REQUEST, SEGMENTS, visit
from tests.fixture_types import Capture

FRAMES = [packet.frame for packet in visit(0, port=80)]


def test_rows_of_frames() -> None:
    rows = replay(Io(), FRAMES)
    assert [row["packet"] for row in rows] == list(range(1, SEGMENTS + 1))
    assert {row["lport"] for row in rows} == {80}
    assert [row["bytes"] for row in rows if row["bytes"]] == [REQUEST, ANSWER]
    # A millisecond apart.
    assert [row["time"] for row in rows[:2]] == [
        "1970-01-01T00:00:00.000000000Z",
        "1970-01-01T00:00:00.001000000Z",
    ]


def test_rows_of_a_file(capture: Capture) -> None:
    rows = replay(Accept(), capture("accepts.pcap"))
    assert [row["count"] for row in rows] == [1, 2, 2, 2, 3]
    assert {row["hostname"] for row in rows} == {None}


def test_frames_of_another_link_type() -> None:
    packets = [frame[14:] for frame in FRAMES]
    assert [row["count"] for row in replay(Wdist(), packets, link_type=101)] == [1, 1]


def test_local_addresses_are_chosen() -> None:
    rows = replay(Io(), FRAMES, local=["192.0.2.10"])
    assert {row["laddr"] for row in rows} == {"192.0.2.10"}


def test_addresses_that_a_file_records_are_local(capture: Capture) -> None:
    rows = replay(Io(), capture("addresses.pcapng"))
    assert len({row["laddr"] for row in rows}) == 2  # one of each family


def test_nothing_is_no_rows() -> None:
    assert replay(Io(), []) == []
    assert replay(Accept(), []) == []


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="no/such"):
        replay(Io(), "no/such")
