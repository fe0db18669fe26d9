"""The options of live capture, each by what it changes."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_types import RunTcpsnoop
from tests.live.networks import Host, veth_pair
from tests.live.programs import Program, running, tcpsnoop
from tests.live.scenes import Conversation, converse

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

CONNECTIONS = 5
JSON = ("-n", "--format", "jsonl")

OPTIONS: dict[str, tuple[object, ...]] = {
    "plain": ("io", *JSON, "-i", "eth0"),
    "without interface": ("accept", *JSON),
    "count": ("io", *JSON, "-i", "eth0", "-c", 7, "tcp"),
    "snaplen": ("io", *JSON, "-i", "eth0", "-s", 60),
    "buffer": ("io", *JSON, "-i", "eth0", "-B", 1024),
    "no promiscuous": ("io", *JSON, "-i", "lo", "--no-promiscuous"),
    "relative": ("io", "-n", "-i", "eth0", "-t"),
    "clock": ("io", "-n", "-i", "eth0", "-T"),
    "filter": ("io", *JSON, "-i", "eth0", "tcp[tcpflags]", "&", "tcp-syn", "!=", "0"),
    "local": ("io", *JSON, "-i", "eth0", "--local", "10.77.0.2"),
}


@dataclass(frozen=True)
class Scene:
    """Connections from another host, and the programs that saw them, still running."""

    here: Host
    conversation: Conversation
    programs: Mapping[str, Program]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a program so far."""
        return self.programs[name].rows()


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """All programs watch the same connections."""
    with ExitStack() as stack:
        here, there = stack.enter_context(veth_pair())
        programs = {
            name: stack.enter_context(
                running(*here.words(*tcpsnoop(*words)), environment={"TZ": "XYZ-05:30"})
            )
            for name, words in OPTIONS.items()
        }
        for program in programs.values():
            program.tracing()
        ends = there.addresses[4], here.addresses[4]
        (conversation,) = converse(there, here, ends, count=CONNECTIONS)
        last = str(conversation.connections[-1][0])
        for name in ("plain", "snaplen", "relative", "clock", "local"):
            # Its last segment acknowledges the server's FIN.
            programs[name].output.wait(last, count=8)
        programs["filter"].output.wait(count=2 * CONNECTIONS)
        yield Scene(here, conversation, programs)


def links(place: Host) -> dict[str, Any]:
    """What ip(8) says of each device."""
    words = ["ip", "-netns", place.namespace, "-details", "-json", "link", "show"]
    shown = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return {each["ifname"]: each for each in shown}


def ring_kib(program: Program) -> int:
    """The size of the buffer that it shares with the kernel."""
    spans = re.findall(
        r"^(\w+)-(\w+) .* socket:\[", Path(f"/proc/{program.pid}/maps").read_text(), re.MULTILINE
    )
    return sum(int(stop, 16) - int(start, 16) for start, stop in spans) // 1024


def test_count_ends_it(scene: Scene) -> None:
    program = scene.programs["count"]
    program.end(None)
    assert program.process.returncode == 0
    assert [row["packet"] for row in program.rows()] == list(range(1, 8))


def test_packets_cut_by_the_snap_length_have_their_declared_payload(scene: Scene) -> None:
    sent = [row["bytes"] for row in scene.rows("snaplen") if row["direction"] == "<-"]
    assert sorted(size for size in sent if size) == sorted(scene.conversation.sent)
    assert [row["flags"] for row in scene.rows("snaplen")] == [
        row["flags"] for row in scene.rows("plain")
    ]


def test_the_buffer_has_the_size_asked_for(scene: Scene) -> None:
    assert 15 * 1024 < ring_kib(scene.programs["plain"]) <= 17 * 1024
    assert 900 < ring_kib(scene.programs["buffer"]) <= 1100


def test_promiscuous_unless_told_otherwise(scene: Scene) -> None:
    """Each program counts once on its device; `any` cannot be."""
    devices = links(scene.here)
    on_eth0 = [name for name, words in OPTIONS.items() if "eth0" in words and name != "count"]
    running_there = [name for name in on_eth0 if scene.programs[name].process.poll() is None]
    assert devices["eth0"]["promiscuity"] in (len(running_there), len(running_there) + 1)
    assert devices["lo"]["promiscuity"] == 0


def test_relative_times_count_from_the_start(scene: Scene) -> None:
    program = scene.programs["relative"]
    header, *lines = [line.text for line in program.output.all]
    assert header.split()[0] == "TIME(s)"
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)
    # By the clocks of both: the header was written at the start.
    began = program.output.all[0].at
    arrived = program.output.all[-1].at
    assert 0 <= times[0] <= times[-1] <= arrived - began + 0.5
    assert all(re.fullmatch(r"\d+\.\d{6}", line.split()[0]) for line in lines)


def test_times_of_day_are_local(scene: Scene) -> None:
    lines = [line.text for line in scene.programs["clock"].output.all][1:]
    shown = [time.fromisoformat(line.split()[0]) for line in lines]
    zone = timezone(timedelta(hours=5, minutes=30))
    moments = [datetime.fromisoformat(row["time"]).astimezone(zone) for row in scene.rows("plain")]
    assert shown
    for local, moment in zip(shown, moments[: len(shown)], strict=True):
        # The kernel stamps a packet for each capture, some microseconds apart.
        assert abs(datetime.combine(moment, local, zone) - moment) < timedelta(milliseconds=10)


def test_the_kernel_filters(scene: Scene) -> None:
    program = scene.programs["filter"]
    program.end()
    assert {row["flags"] for row in program.rows()} == {"SYN", "SYN|ACK"}
    assert len(program.rows()) == 2 * CONNECTIONS
    assert f"{2 * CONNECTIONS} packets read" in program.notes.text


def test_local_goes_before_the_addresses_of_interfaces(scene: Scene) -> None:
    assert {row["laddr"] for row in scene.rows("local")} == {"10.77.0.2"}
    assert {row["laddr"] for row in scene.rows("plain")} == {"10.77.0.1"}


def test_without_an_interface_all_are_watched(scene: Scene) -> None:
    program = scene.programs["without interface"]
    program.end()
    assert [row["count"] for row in program.rows()] == [CONNECTIONS]


def test_interfaces_are_listed_with_their_addresses(
    run_tcpsnoop: RunTcpsnoop, scene: Scene
) -> None:
    words = [str(word) for word in scene.here.words(*tcpsnoop("list", "interfaces"))]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    by_name = {line.split()[0]: line for line in listed.splitlines()}
    for address in scene.here.addresses.values():
        assert address in by_name["eth0"]
    assert "127.0.0.1" in by_name["lo"]
    assert "any" in by_name


def test_an_interface_that_goes_down_and_then_disappears() -> None:
    """Down is no end, for it may come up again; gone is one, and the report is printed."""
    with veth_pair() as (here, _):
        with running(*here.words(*tcpsnoop("accept", "-n", "-i", "eth0"))) as program:
            program.tracing()
            here.ip("link", "set", "eth0", "down")
            here.ip("link", "set", "eth0", "up")
            pause = threading.Event()
            pause.wait(0.3)
            assert program.process.poll() is None
            here.ip("link", "delete", "eth0")
            program.end(None)
        assert program.process.returncode == 1
        assert len(program.output.all) == 1
        assert "eth0 went down while capturing: 1 times" in program.notes.text
        assert "interface eth0 disappeared while capturing" in program.notes.text
