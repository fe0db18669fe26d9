"""Reports of every capture against MANIFEST.json: what generators know, not what a program said."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.connect import Connect
from tcpsnoop.reporters.io import Io
from tcpsnoop.reporters.refused import Refused
from tcpsnoop.reporters.retrans import Retrans
from tcpsnoop.reporters.wdist import Wdist

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
MANIFEST: dict[str, dict[str, Any]] = json.loads((CAPTURES / "MANIFEST.json").read_text())


def captures_with(*keys: str) -> list[str]:
    """The captures of which the manifest tells all of these."""
    return sorted(name for name, truth in MANIFEST.items() if truth.keys() >= set(keys))


def rows(reporter: Any, capture: str) -> list[dict[str, Any]]:
    return replay(reporter, CAPTURES / capture)


@pytest.mark.parametrize("capture", captures_with("tcp_segments"))
def test_io_has_every_segment_and_its_bytes(capture: str) -> None:
    truth, found = MANIFEST[capture], rows(Io(), capture)
    assert len(found) == truth["tcp_segments"]
    assert sum(row["bytes"] for row in found) == truth["payload_bytes"]
    assert len({row["packet"] for row in found}) == len(found)
    if truth.get("local"):
        assert {row["laddr"] for row in found} <= set(truth["local"])


@pytest.mark.parametrize("capture", captures_with("accepts"))
def test_accept_counts_by_client_and_local_port(capture: str) -> None:
    expected = {(row["raddr"], row["lport"]): row["count"] for row in MANIFEST[capture]["accepts"]}
    found = rows(Accept(), capture)
    assert {(row["raddr"], row["lport"]): row["count"] for row in found} == expected


@pytest.mark.parametrize("capture", captures_with("connects"))
def test_connect_counts_by_server_and_port(capture: str) -> None:
    expected = {(row["raddr"], row["rport"]): row["count"] for row in MANIFEST[capture]["connects"]}
    found = rows(Connect(), capture)
    assert {(row["raddr"], row["rport"]): row["count"] for row in found} == expected


@pytest.mark.parametrize("capture", captures_with("writes"))
def test_wdist_has_every_write_in_its_bucket(capture: str) -> None:
    """The manifest tells writers by their own port: put together as wdist does, by address."""
    buckets: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for write in MANIFEST[capture]["writes"]:
        size = write["bytes"]
        buckets[write["laddr"]][1 << (size.bit_length() - 1) if size else 0] += 1
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    total = 0
    for row in rows(Wdist(), capture):
        total += row["sum"]
        for lower, count in row["buckets"]:
            found[row["laddr"]][lower] += count
    assert found == buckets
    assert total == sum(write["bytes"] for write in MANIFEST[capture]["writes"])


@pytest.mark.parametrize("capture", captures_with("events"))
def test_retrans_has_every_retransmission_by_kind(capture: str) -> None:
    truth = MANIFEST[capture]
    expected = {
        event.removeprefix("retransmit "): count
        for event, count in truth["events"].items()
        if event.startswith("retransmit ")
    }
    found = rows(Retrans(), capture)
    assert Counter(row["kind"] for row in found) == expected
    assert sum(row["retransmitted_bytes"] for row in found) == truth["retransmitted_bytes"]


@pytest.mark.parametrize("capture", captures_with("refused"))
def test_refused_has_every_refusal_once_for_each_end_that_is_seen(capture: str) -> None:
    """One end when the local side is known, both when it is not or both are local."""
    truth = MANIFEST[capture]
    ends = 1 if truth["local_rule"] in (2, 3, 4) else 2
    found = [row for row in rows(Refused(), capture) if row["cause"] == "refused"]
    assert len(found) == ends * truth["refused"]
