"""Every capture of captures/ through source, dissect and provider, against MANIFEST.json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from captures.make.catalogue import HOME
from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.engine.clock import CaptureClock
from tcpsnoop.names.services import registered_ports
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker
from tcpsnoop.sources.savefile import open_savefile
from tests.provider.consistency import check
from tests.provider.oracle_tracker import Oracle
from tests.provider.talk import Endpoint, Sent
from tests.provider.tracked import ALL, Fired, Totals, feed_rows, finish

TRUTH: dict[str, dict[str, Any]] = json.loads((HOME / "MANIFEST.json").read_text(encoding="utf-8"))
PATIENCE_SECONDS = 5.0


class Seen(NamedTuple):
    """What a capture gave."""

    fired: list[Fired]
    tracker: Tracker
    segments: SegmentBatch


def stating(*facts: str) -> list[str]:
    return [name for name, truth in TRUTH.items() if all(fact in truth for fact in facts)]


@cache
def seen(name: str) -> Seen:
    source = open_savefile(str(HOME / name))
    dissector = Dissector(64)
    clock = CaptureClock()
    parts: list[SegmentBatch] = []
    while not source.ended:
        packets = source.read(PATIENCE_SECONDS)
        if packets is not None:
            clock.stamp(packets)
            parts.append(dissector.dissect(packets, source.interfaces)[0].copy())
    known = [address for interface in source.interfaces for address in interface.addresses]
    source.close()
    segments = np.concatenate([np.empty(0, SEGMENT), *parts])
    tracker = Tracker(ALL, registered_ports(), Window((), known, waits=False), 1024)
    fired = [*feed_rows(tracker, segments), *finish(tracker)]
    check(tracker)
    return Seen(fired, tracker, segments)


def totals_of(fired: Sequence[Fired]) -> list[Totals]:
    """The totals of each connection, once."""
    return list({each.connection: each.totals for each in fired if each.totals}.values())


@pytest.mark.parametrize("name", stating("connections"))
def test_connections(name: str) -> None:
    assert seen(name).tracker.connections == TRUTH[name]["connections"]


@pytest.mark.parametrize("name", stating("connections", "local_rule"))
def test_the_rule_that_tells_the_side(name: str) -> None:
    expected = [0] * 6
    expected[TRUTH[name]["local_rule"]] = TRUTH[name]["connections"]
    assert seen(name).tracker.rules == expected


@pytest.mark.parametrize("name", stating("local"))
def test_the_local_end_stands_at_the_left(name: str) -> None:
    lefts = {each.left.split()[0] for each in seen(name).fired}
    assert lefts == set(TRUTH[name]["local"])


@pytest.mark.parametrize("name", stating("connects"))
def test_connects(name: str) -> None:
    established = (each for each in seen(name).fired if each.probe == "connect-established")
    found = Counter(each.right for each in established)
    assert found == {
        f"{row['raddr']} {row['rport']}": row["count"] for row in TRUTH[name]["connects"]
    }


@pytest.mark.parametrize("name", stating("accepts"))
def test_accepts(name: str) -> None:
    accepted = (each for each in seen(name).fired if each.probe == "accept-established")
    found = Counter((each.right.split()[0], each.left.split()[1]) for each in accepted)
    assert found == {
        (row["raddr"], str(row["lport"])): row["count"] for row in TRUTH[name]["accepts"]
    }


@pytest.mark.parametrize("name", stating("refused"))
@pytest.mark.parametrize("probe", ["connect-refused", "accept-refused"])
def test_refused(name: str, probe: str) -> None:
    refused = {each.connection for each in seen(name).fired if each.probe == probe}
    if "local" not in TRUTH[name]:
        assert len(refused) == TRUTH[name]["refused"]
    else:
        assert len(refused) <= TRUTH[name]["refused"]


@pytest.mark.parametrize("name", stating("writes"))
def test_writes(name: str) -> None:
    written = [(each.left, each.bytes) for each in seen(name).fired if each.probe == "write"]
    assert written == [
        (f"{row['laddr']} {row['lport']}", row["bytes"]) for row in TRUTH[name]["writes"]
    ]


@pytest.mark.parametrize("name", stating("unique_bytes"))
def test_parts_of_the_payload(name: str) -> None:
    ends = [end for totals in totals_of(seen(name).fired) for end in (totals.tx, totals.rx)]
    retransmitted = sum(end.retransmitted for end in ends)
    probe = sum(end.probe for end in ends)
    unique = sum(end.payload for end in ends) - retransmitted - probe
    assert unique == TRUTH[name]["unique_bytes"]
    assert retransmitted == TRUTH[name]["retransmitted_bytes"]
    assert probe == TRUTH[name]["probe_bytes"]


@pytest.mark.parametrize("name", stating("duplicate_frames"))
def test_duplicate_frames(name: str) -> None:
    copies = [each for each in seen(name).fired if each.probe == "duplicate-frame"]
    assert len({each.packet for each in copies}) == TRUTH[name]["duplicate_frames"]
    assert seen(name).tracker.duplicates == TRUTH[name]["duplicate_frames"]


@pytest.mark.parametrize("name", stating("duplicate_bytes"))
def test_duplicate_bytes(name: str) -> None:
    copies = (each for each in seen(name).fired if each.probe == "duplicate-frame")
    by_packet = {each.packet: each.bytes or 0 for each in copies}
    assert sum(by_packet.values()) == TRUTH[name]["duplicate_bytes"]


@pytest.mark.parametrize("name", stating("connections", "payload_bytes"))
def test_all_payload_is_in_a_total_or_in_a_copy(name: str) -> None:
    fired = seen(name).fired
    counted = sum(totals.tx.payload + totals.rx.payload for totals in totals_of(fired))
    copies = {each.packet: each.bytes or 0 for each in fired if each.probe == "duplicate-frame"}
    assert counted + sum(copies.values()) == TRUTH[name]["payload_bytes"]


@pytest.mark.parametrize("name", stating("connections", "tcp_segments"))
def test_every_segment_is_sent_or_received(name: str) -> None:
    shown = {each.packet for each in seen(name).fired if each.probe in ("send", "receive")}
    assert len(shown) == TRUTH[name]["tcp_segments"]


def sent_of(segments: SegmentBatch) -> list[Sent]:
    """Rows in the words of the oracle."""
    found = []
    for row in segments:
        source = text_of(row["source_high"], row["source_low"])
        destination = text_of(row["destination_high"], row["destination_low"])
        window, time_ns, ip_id, ttl, path, side, fingerprint = (
            int(row[name])
            for name in ("window", "time_ns", "ip_id", "ttl", "path", "side", "fingerprint")
        )
        found.append(
            Sent(
                Endpoint(source, int(row["source_port"])),
                Endpoint(destination, int(row["destination_port"])),
                int(row["flags"]),
                int(row["sequence"]),
                int(row["acknowledgment"]),
                None if row["payload"] < 0 else int(row["payload"]),
                window=window,
                time_ns=time_ns,
                ip_id=ip_id,
                ttl=ttl,
                path=path,
                side=side,
                fingerprint=fingerprint,
            )
        )
    return found


@pytest.mark.parametrize("name", stating("connections", "local_rule"))
def test_the_oracle_says_the_same(name: str) -> None:
    """`packet` apart, which it counts by segments."""
    given = seen(name)
    local = TRUTH[name]["local"] if TRUTH[name]["local_rule"] == 2 else ()
    expected = Oracle(local).track(sent_of(given.segments))

    def words(fired: Sequence[Fired]) -> list[tuple[str, ...]]:
        return sorted(tuple(map(str, each._replace(packet=0, adds=()))) for each in fired)

    assert words(given.fired) == words(expected)
