"""1,009 connections of each family over `lo`, watched on `lo` and through `any`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.networks import host
from tests.live.programs import Program, tcpsnoop
from tests.live.scenes import (
    COUNT,
    Conversation,
    Told,
    converse,
    counted,
    dumped,
    histogram,
    of_report,
    segments_in,
    segments_of,
    watched,
)

pytestmark = [pytest.mark.live, pytest.mark.program("ip", "tcpdump")]


@dataclass(frozen=True)
class Scene:
    """What was done, and what was seen of it on `lo` and on `any`."""

    conversations: Sequence[Conversation]
    on_lo: Program
    on_any: Program
    log_on_lo: Program
    log_on_any: Program
    endings: Program
    by_tcpdump: Sequence[Told]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, endings: dict[str, str]) -> Iterator[Scene]:
    """One host talks to itself."""
    file = Path(tmp_path_factory.mktemp("lo")) / "tcpdump.pcap"
    form = ("-n", "--format", "jsonl")
    words = [
        *(tcpsnoop("accept,connect,wdist", *form, "-i", name) for name in ("lo", "any")),
        *(tcpsnoop("io", *form, "-i", name) for name in ("lo", "any")),
        tcpsnoop("endings", *form, "-i", "any"),
    ]
    with host() as alone:
        programs = [alone.words(*each) for each in words]
        with watched(*programs, environment=endings) as seen, dumped(alone, "lo", file):
            conversations = converse(alone, alone, ("127.0.0.1", "127.0.0.1"), ("::1", "::1"))
        on_lo, on_any, log_on_lo, log_on_any, ended = seen
        yield Scene(conversations, on_lo, on_any, log_on_lo, log_on_any, ended, segments_in(file))


def test_accept_and_connect_count_as_on_one_interface(scene: Scene) -> None:
    for program in (scene.on_lo, scene.on_any):
        rows = program.rows()
        assert counted(of_report(rows, "accept"), "raddr", "lport") == {
            (each.client, each.port): COUNT for each in scene.conversations
        }
        assert counted(of_report(rows, "connect"), "raddr", "rport") == {
            (each.server, each.port): COUNT for each in scene.conversations
        }


def test_wdist_has_each_write_once(scene: Scene) -> None:
    sizes = [size for each in scene.conversations for size in (*each.sent, *each.answered)]
    for program in (scene.on_lo, scene.on_any):
        rows = of_report(program.rows(), "wdist")
        buckets = Counter[int]()
        for row in rows:
            buckets.update(dict(row["buckets"]))
        assert sum(row["count"] for row in rows) == 4 * COUNT
        assert sum(row["sum"] for row in rows) == sum(sizes)
        assert buckets == histogram(sizes)


def test_no_process_is_wrong(scene: Scene) -> None:
    processes = {each.client_pid for each in scene.conversations}
    processes |= {each.server_pid for each in scene.conversations}
    for program in (scene.on_lo, scene.on_any):
        pids = {row["pid"] for row in of_report(program.rows(), "wdist")}
        assert pids - {None} <= processes


def test_io_on_lo_shows_every_segment_that_tcpdump_shows(scene: Scene) -> None:
    shown = segments_of(scene.log_on_lo.rows())
    assert Counter(shown) == Counter(scene.by_tcpdump)


def test_io_on_any_shows_them_too(scene: Scene) -> None:
    shown = segments_of(scene.log_on_any.rows())
    assert Counter(shown) == Counter(scene.by_tcpdump)


def test_the_sender_is_at_the_left_of_every_row(scene: Scene) -> None:
    for program in (scene.log_on_lo, scene.log_on_any):
        assert {row["direction"] for row in program.rows()} == {"->"}


def test_no_byte_is_a_retransmission(scene: Scene) -> None:
    # A row for each end, as both are local. A client's port may be used for one connection after
    # the other, so they are counted.
    found = Counter[tuple[str, int, str, int, int]]()
    for row in scene.endings.rows():
        assert (row["tx_retransmitted"], row["rx_retransmitted"]) == (0, 0)
        ends = row["laddr"], row["lport"], row["raddr"]
        found[*ends, row["tx_payload"], row["rx_payload"]] += 1
    made = Counter[tuple[str, int, str, int, int]]()
    for each in scene.conversations:
        for port, request, answer in each.connections:
            made[each.client, port, each.server, request, answer] += 1
            made[each.server, each.port, each.client, answer, request] += 1
    assert found == made
    assert found.total() == 4 * COUNT


def test_nothing_is_dropped(scene: Scene) -> None:
    for program in (
        scene.on_lo,
        scene.on_any,
        scene.log_on_lo,
        scene.log_on_any,
        scene.endings,
    ):
        assert "\n0 packets dropped by kernel\n" in program.notes.text
