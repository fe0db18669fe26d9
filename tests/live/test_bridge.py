"""Two hosts joined by a bridge in the host's own namespace: on `any` each packet shows twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live.networks import bridged
from tests.live.programs import Program, tcpsnoop
from tests.live.scenes import (
    COUNT,
    Conversation,
    converse,
    counted,
    histogram,
    of_report,
    watched,
)

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]


@dataclass(frozen=True)
class Scene:
    """What was done, and what was seen of it on `any` and on one port of the bridge."""

    conversations: Sequence[Conversation]
    on_any: Program
    on_port: Program
    log: Program
    endings: Program


@pytest.fixture(scope="module")
def scene(endings: dict[str, str]) -> Iterator[Scene]:
    """Both hosts talk through the bridge; their sockets are not those of the host between."""
    form = ("-n", "--format", "jsonl")
    reports = tcpsnoop("accept,connect,wdist", "--no-tracing", *form)
    with bridged() as (middle, (one, other)):
        programs = (
            middle.words(*reports, "-i", "any"),
            middle.words(*reports, "-i", "port1"),
            middle.words(*tcpsnoop("io", *form, "-i", "any")),
            middle.words(*tcpsnoop("endings", *form, "-i", "any")),
        )
        pairs = [(one.addresses[family], other.addresses[family]) for family in (4, 6)]
        with watched(*programs, environment=endings) as seen:
            conversations = converse(one, other, *pairs)
        yield Scene(conversations, *seen)


def test_accept_and_connect_count_as_on_one_interface(scene: Scene) -> None:
    for program in (scene.on_any, scene.on_port):
        rows = program.rows()
        assert counted(of_report(rows, "accept"), "raddr", "lport") == {
            (each.client, each.port): COUNT for each in scene.conversations
        }
        assert counted(of_report(rows, "connect"), "raddr", "rport") == {
            (each.server, each.port): COUNT for each in scene.conversations
        }


def test_wdist_counts_and_sums_as_on_one_interface(scene: Scene) -> None:
    written = defaultdict[int, list[int]](list)
    writers = {}
    for each in scene.conversations:
        written[each.client_pid] += each.sent
        written[each.server_pid] += each.answered
        writers[each.client, each.port, "originator"] = each.client_pid
        writers[each.server, each.port, "responder"] = each.server_pid
    expected = {
        process: (len(sizes), sum(sizes), min(sizes), max(sizes), histogram(sizes))
        for process, sizes in written.items()
    }
    for program in (scene.on_any, scene.on_port):
        # Whose socket it is, in the hosts' namespaces, is found for those that live long enough.
        rows = defaultdict[int, list[dict[str, Any]]](list)
        for row in of_report(program.rows(), "wdist"):
            end = row["laddr"], row["port"], row["role"]
            rows[writers[end] if row["pid"] is None else row["pid"]].append(row)
        assert {process: _together(found) for process, found in rows.items()} == expected


def _together(rows: Sequence[dict[str, Any]]) -> tuple[int, int, int, int, dict[int, int]]:
    """Count, sum, minimum, maximum and buckets of several rows of `wdist`."""
    buckets = Counter[int]()
    for row in rows:
        buckets.update(dict(row["buckets"]))
    return (
        sum(row["count"] for row in rows),
        sum(row["sum"] for row in rows),
        min(row["min"] for row in rows),
        max(row["max"] for row in rows),
        dict(buckets),
    )


def test_copies_are_told_and_no_byte_is_a_retransmission(scene: Scene) -> None:
    rows = scene.endings.rows()
    totals: dict[tuple[Any, ...], tuple[int, int]] = {}
    for row in rows:
        assert (row["tx_retransmitted"], row["rx_retransmitted"]) == (0, 0)
        totals[row["raddr"], row["rport"], row["lport"]] = row["rx_payload"], row["tx_payload"]
    # Seen from the responder, as nobody is local.
    assert totals == {
        (each.client, port, each.port): (there, back)
        for each in scene.conversations
        for port, there, back in each.connections
    }
    packets = len(scene.log.rows())
    assert f"{packets // 2:,} frames captured twice, counted once" in scene.log.notes.text


def test_the_log_has_each_copy_and_one_side_at_the_left(scene: Scene) -> None:
    rows = scene.log.rows()
    servers = {(each.server, each.port) for each in scene.conversations}
    assert {(row["laddr"], row["lport"]) for row in rows} == servers
    expected = sum(2 * (sum(each.sent) + sum(each.answered)) for each in scene.conversations)
    assert sum(row["bytes"] for row in rows) == expected


def test_nothing_is_dropped(scene: Scene) -> None:
    for program in (scene.on_any, scene.on_port, scene.log, scene.endings):
        assert "\n0 packets dropped by kernel\n" in program.notes.text
