"""MANIFEST.json tells the truth: each fact is found again by the oracle, in the bytes alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from ipaddress import ip_address
from typing import Any

import pytest

from captures.make.catalogue import HOME
from tests.oracle import Observation, Segment, observe
from tests.oracle_connections import Connection, follow
from tests.oracle_files import read

Truth = dict[str, Any]

TRUTH: dict[str, Truth] = json.loads((HOME / "MANIFEST.json").read_text(encoding="utf-8"))

# Rules of SEMANTICS 4.
LOOPBACK, INTERFACE_ADDRESSES, DIRECTIONS, NOTHING = 0, 2, 3, 5


def stating(*facts: str) -> list[str]:
    return [name for name, truth in TRUTH.items() if all(fact in truth for fact in facts)]


def content(name: str) -> bytes:
    return (HOME / name).read_bytes()


def observations(name: str) -> list[Observation]:
    return list(observe(content(name)))


def segments(name: str) -> list[Segment]:
    return [each.segment for each in observations(name) if each.segment is not None]


@pytest.mark.parametrize("name", TRUTH)
def test_digest_and_size(name: str) -> None:
    data = content(name)
    assert TRUTH[name]["sha256"] == hashlib.sha256(data).hexdigest()
    assert TRUTH[name]["bytes"] == len(data)


@pytest.mark.parametrize("name", stating("packets"))
def test_packets_segments_payload(name: str) -> None:
    found = segments(name)
    verdicts = Counter(each.verdict for each in observations(name))
    assert verdicts == TRUTH[name]["verdicts"]
    assert verdicts.total() == TRUTH[name]["packets"]
    assert len(found) == TRUTH[name]["tcp_segments"]
    assert sum(each.payload or 0 for each in found) == TRUTH[name]["payload_bytes"]
    assert all(each.payload is not None for each in found)


@pytest.mark.parametrize("name", stating("packets"))
def test_link_types(name: str) -> None:
    assert {each.link_type for each in observations(name)} <= set(TRUTH[name]["link_types"])


@pytest.mark.parametrize("name", stating("times_ns"))
def test_times(name: str) -> None:
    assert [each.time_ns for each in observations(name)] == TRUTH[name]["times_ns"]


@pytest.mark.parametrize("name", stating("packets"))
def test_where_it_breaks_off(name: str) -> None:
    reading = read(content(name))
    assert reading.cut_at == TRUTH[name].get("cut_at")
    assert reading.read_on_at == TRUTH[name].get("read_on_at")


@pytest.mark.parametrize("name", stating("names"))
def test_names(name: str) -> None:
    # A record of a name resolution block has the packed address, then the name.
    for address, host in TRUTH[name]["names"].items():
        assert ip_address(address).packed + host.encode() + b"\0" in content(name)


def of(end: tuple[str, int] | None, local: list[str] | None) -> bool:
    """Whether probes of this end fire: it is local, or no end is known to be."""
    return end is not None and (local is None or end[0] in local)


def rows(connections: list[Connection], remote: str) -> Counter[tuple[str, int]]:
    """Connections by the address of the remote end and the port of the responder."""
    found: Counter[tuple[str, int]] = Counter()
    for each in connections:
        assert each.originator is not None
        assert each.responder is not None
        address, _ = each.originator if remote == "originator" else each.responder
        found[address, each.responder[1]] += 1
    return found


@pytest.mark.parametrize("name", stating("connections"))
def test_connections(name: str) -> None:
    truth, found = TRUTH[name], follow(segments(name))
    local = truth.get("local")
    connects = [each for each in found if each.established and of(each.originator, local)]
    accepts = [each for each in found if each.accepted and of(each.responder, local)]
    assert len(found) == truth["connections"]
    assert sum(each.refused for each in found) == truth["refused"]
    assert rows(connects, "responder") == {
        (row["raddr"], row["rport"]): row["count"] for row in truth["connects"]
    }
    assert rows(accepts, "originator") == {
        (row["raddr"], row["lport"]): row["count"] for row in truth["accepts"]
    }


def addresses_in_all(found: list[Segment]) -> set[str]:
    """The addresses that are an end of every segment."""
    pairs = [{each.source, each.destination} for each in found]
    return set.intersection(*pairs) if pairs else set()


def packet_directions(name: str) -> list[int]:
    """1 in, 2 out, of each TCP packet whose frame or record tells; SEMANTICS 4 rule 3."""
    types = {0: 1, 4: 2}
    found = []
    for packet in read(content(name)).packets:
        if packet.direction:
            found.append(packet.direction)
        elif packet.link_type in (113, 276):
            at = 1 if packet.link_type == 113 else 10
            found.append(types.get(packet.data[at], 0))
        elif packet.link_type in (166, 204, 205):  # a first byte: 0 received, else sent
            found.append(2 if packet.data[0] else 1)
        elif packet.link_type == 258:  # bits 0 and 1 of Apple's flags
            found.append(packet.data[36] & 3)
    return [each for each in found if each]


def local_by_direction(name: str) -> set[str]:
    """Sources of "out" and destinations of "in" packets that are never the reverse (rule 3)."""
    here: set[str] = set()
    elsewhere: set[str] = set()
    for each, direction in zip(segments(name), packet_directions(name), strict=True):
        out = direction == 2
        here.add(each.source if out else each.destination)
        elsewhere.add(each.destination if out else each.source)
    return here - elsewhere


@pytest.mark.parametrize("name", stating("local_rule"))
def test_local_side(name: str) -> None:
    rule, found = TRUTH[name]["local_rule"], segments(name)
    if rule == LOOPBACK:
        hardware = [p.data[2:4] for p in read(content(name)).packets if p.link_type == 113]
        both_here = [
            each.source == each.destination
            or all(ip_address(end).is_loopback for end in (each.source, each.destination))
            for each in found
        ]
        assert all(both_here) or set(hardware) == {(772).to_bytes(2, "big")}
    elif rule == DIRECTIONS:
        assert local_by_direction(name) == set(TRUTH[name]["local"])
    elif rule == INTERFACE_ADDRESSES:
        stated = [ip_address(address).packed for address in TRUTH[name]["local"]]
        assert all(address in content(name)[:200] for address in stated)
    else:
        assert rule == NOTHING
        assert len(addresses_in_all(found)) != 1
        assert not any(ip_address(each.source).is_loopback for each in found)
        if len(packet_directions(name)) == len(found):
            assert local_by_direction(name) == set()
