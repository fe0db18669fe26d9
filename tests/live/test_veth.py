"""1,009 connections of each family over veth, seen from both sides and beside tcpdump."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.live.networks import veth_pair
from tests.live.programs import Program, tcpsnoop
from tests.live.scenes import (
    COUNT,
    Conversation,
    Told,
    converse,
    counted,
    dumped,
    segments_in,
    segments_of,
    watched,
)

pytestmark = [pytest.mark.live, pytest.mark.program("ip", "tcpdump")]


@dataclass(frozen=True)
class Scene:
    """What was done, and what each program said of it."""

    conversations: Sequence[Conversation]
    accept: Program
    connect: Program
    io: Program
    by_tcpdump: Sequence[Told]
    tcpdump: Program


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server, its clients, `accept` and `io` on the one side, `connect` on the other."""
    file = Path(tmp_path_factory.mktemp("veth")) / "tcpdump.pcap"
    options = ("-i", "eth0", "-n", "--format", "jsonl")
    with veth_pair() as (here, there):
        programs = (
            here.words(*tcpsnoop("accept", *options)),
            here.words(*tcpsnoop("io", *options)),
            there.words(*tcpsnoop("connect", *options)),
        )
        pairs = [(there.addresses[family], here.addresses[family]) for family in (4, 6)]
        with watched(*programs) as (accept, io, connect), dumped(here, "eth0", file) as tcpdump:
            conversations = converse(there, here, *pairs)
        yield Scene(conversations, accept, connect, io, segments_in(file), tcpdump)


def test_accept_counts_each_connection(scene: Scene) -> None:
    assert counted(scene.accept.rows(), "raddr", "lport") == {
        (each.client, each.port): COUNT for each in scene.conversations
    }


def test_connect_counts_each_connection_on_the_other_side(scene: Scene) -> None:
    assert counted(scene.connect.rows(), "raddr", "rport") == {
        (each.server, each.port): COUNT for each in scene.conversations
    }


def test_io_shows_every_segment_that_tcpdump_shows(scene: Scene) -> None:
    shown = Counter(segments_of(scene.io.rows()))
    assert shown == Counter(scene.by_tcpdump)
    bytes_to = Counter[tuple[str, int]]()
    for (_, _, receiver, port, _, size), times in shown.items():
        bytes_to[receiver, port] += size * times
    for each in scene.conversations:
        assert bytes_to[each.server, each.port] == sum(each.sent)
        assert [bytes_to[each.client, port] for port, _, _ in each.connections] == each.answered


def test_io_is_written_from_the_server(scene: Scene) -> None:
    servers = {(each.server, each.port) for each in scene.conversations}
    assert {(row["laddr"], row["lport"]) for row in scene.io.rows()} == servers


def test_packets_of_io_are_numbered_as_the_kernel_delivered_them(scene: Scene) -> None:
    numbers = [row["packet"] for row in scene.io.rows()]
    assert all(0 < before < after for before, after in pairwise(numbers))


def test_nothing_is_dropped(scene: Scene) -> None:
    for program in (scene.accept, scene.connect, scene.io, scene.tcpdump):
        assert "0 packets dropped by kernel" in program.notes.text


def test_the_notes_tell_the_rule_of_the_local_side(scene: Scene) -> None:
    told = f"local side by the addresses of interfaces: {2 * COUNT:,} connections"
    for program in (scene.accept, scene.connect, scene.io):
        assert told in program.notes.text
