"""Probes do not depend on where packets come from, on the size of batches, or on threads."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from captures.make.catalogue import HOME
from captures.make.files import Record, gzip_bytes, pcap_bytes
from captures.make.pcapng import Interface, pcapng_bytes
from tcpsnoop.engine.crew import Crew
from tcpsnoop.engine.intake import Intake
from tcpsnoop.engine.reader import make_reader
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.names.services import registered_ports
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.savefile import open_savefile
from tests.provider.tracked import EVERY, Fired, finish, told

# Captures that fire different probes.
NAMES = (
    *("accepts", "churn", "close-wait", "duplicates", "finger", "icmp-error", "idle-reset"),
    *("handshake-refused", "handshake-synack-after-ack", "loss", "ipv6", "fragments"),
)
PATIENCE_SECONDS = 5.0


def link_type(name: str) -> int:
    """What a classic capture file says of its frames."""
    return int.from_bytes((HOME / f"{name}.pcap").read_bytes()[20:24], "little")


def records(name: str) -> Iterator[Record]:
    """The packets of a little-endian capture with microseconds."""
    content = (HOME / f"{name}.pcap").read_bytes()
    assert content[:4] == struct.pack("<I", 0xA1B2C3D4)
    at = 24
    while at < len(content):
        seconds, micros, captured, original = struct.unpack_from("<4I", content, at)
        at += 16
        time_ns = (seconds * 1_000_000 + micros) * 1_000
        yield Record(time_ns, content[at : at + captured], original)
        at += captured


def fired(source: PacketSource, helpers: int = 0) -> list[Fired]:
    """Every probe that these packets fire, read ahead if there is a helper."""
    tracker = Tracker(EVERY, registered_ports(), Window(waits=False), 1024)
    intake = Intake(source, options=tracker.needs_options, quotes=tracker.needs_quotes)
    found: list[Fired] = []
    with Crew(helpers) as crew:
        reader = make_reader(intake, crew if helpers else None)
        while not reader.ended:
            batch = reader.next(PATIENCE_SECONDS)
            if batch is not None:
                for probes in tracker.feed(batch.segments, 0.0):
                    found += told(probes)
                reader.done_with(batch)
        reader.close()
    source.close()
    return [*found, *finish(tracker)]


@cache
def expected(name: str) -> list[Fired]:
    """What the file as it is fires, read in one thread."""
    found = fired(open_savefile(str(HOME / f"{name}.pcap")))
    assert found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_sizes_of_batches_and_threads(name: str) -> None:
    path = str(HOME / f"{name}.pcap")
    for batch_size in (1, 7, 64):
        for helpers in range(3):
            assert fired(open_savefile(path, batch_size=batch_size), helpers) == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_forms_of_files(name: str, tmp_path: Path) -> None:
    kind = link_type(name)
    interfaces = [Interface(kind)]
    swapped = pcapng_bytes(records(name), interfaces=interfaces, big_endian=True)
    contents = {
        "nanoseconds": pcap_bytes(records(name), link_type=kind, nanoseconds=True, big_endian=True),
        "pcapng": pcapng_bytes(records(name), interfaces=interfaces),
        "big-endian pcapng": swapped,
        "gzip": gzip_bytes((HOME / f"{name}.pcap").read_bytes()),
        "gzip of pcapng": gzip_bytes(swapped),
    }
    for form, content in contents.items():
        path = tmp_path / form
        path.write_bytes(content)
        assert fired(open_savefile(str(path))) == expected(name), form


@pytest.mark.parametrize("name", NAMES)
def test_memory(name: str) -> None:
    packets = list(records(name))
    source = MemorySource(
        [each.frame for each in packets],
        [each.time_ns for each in packets],
        link_types=link_type(name),
        originals=[each.length for each in packets],
        batch_size=5,
    )
    assert fired(source) == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_standard_input(name: str) -> None:
    """A pipe, written in pieces."""
    content = (HOME / f"{name}.pcap").read_bytes()
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb", buffering=0) as file:
            for at in range(0, len(content), 1_000):
                file.write(content[at : at + 1_000])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert fired(open_savefile("-", reading), helpers=1) == expected(name)
    finally:
        thread.join()


def test_the_captures_fire_nearly_all_probes() -> None:
    """So that the comparisons say something of each."""
    names = {each.probe for name in NAMES for each in expected(name)}
    assert len(names) >= 18, sorted(set(EVERY) - names)
