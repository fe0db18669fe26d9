"""Kernels ready before they are needed: compiled, or loaded from the cache.

A capture must not lose packets to the compiler. And whoever gives up root can no more write to the
cache, nor, where Python is installed for root alone, import what has not been imported. So a few
segments are sent through every stage that the run will use; and as options may keep their rows
back, a row is also made for what turns it into text.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence

import numpy as np

from tcpsnoop.accumulate import Keyed
from tcpsnoop.batches.addresses import text_of, text_words
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import DETAIL, PROBE_ROW
from tcpsnoop.batches.segments import ACK, PUSH, SYN
from tcpsnoop.decode import decode
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.engine.gathered import Gathered
from tcpsnoop.engine.intake import BATCH_PACKETS, Intake
from tcpsnoop.engine.outlet import Outlet
from tcpsnoop.engine.output import Sink
from tcpsnoop.engine.replay import drain
from tcpsnoop.engine.settings import Settings
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import SummaryReporter
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.names.namer import Namer
from tcpsnoop.report import Cell, Column, Kind, Line, Schema, Table, Values
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.savefile import open_savefile

_RAW_IP = 101
_SNOOP_IPV4 = 0x80000001  # an IPv4 tunnel of Solaris
_PCAP = {struct.pack(order + "I", magic) for order in "<>" for magic in (0xA1B2C3D4, 0xA1B23C4D)}
_PCAPNG = b"\n\r\r\n"
_SNOOP = b"snoo"


def warm_up(settings: Settings) -> None:
    """Make every kernel of such a run ready."""
    frames = _handshake_and_write()
    sources: list[PacketSource] = [MemorySource(frames, link_types=_RAW_IP)]
    if not settings.live:
        sources = [_piped(content) for content in _captures(frames, settings.files)]
        if settings.filter:
            # Any expression, as all run on one kernel; of what none passes, tags are looked for.
            filtered = Intake(_piped(_pcap(frames)), "udp")
            filtered.step(Dissector(BATCH_PACKETS), 1.0)
    if any(reporter.needs_frames for _, reporter in settings.reports):
        decode(_RAW_IP, frames[0])
    sink, namer = _Nowhere(), Namer(True, {}, False)
    for source in sources:
        outlets = [Outlet(name, own, sink, namer.name) for name, own in settings.reports]
        for outlet in outlets:
            outlet.begin(settings.renderer(RenderOptions(settings.header, settings.time)))
        drain(source, outlets, max_connections=1)
        source.close()
    warm_reports(settings)


def warm_reports(settings: Settings) -> None:
    """Make those kernels ready that turn probes into reports, whatever these keep back."""
    batch = ProbeBatch(np.zeros(1, PROBE_ROW), details=np.zeros(1, DETAIL))
    batch.attached(np.ones(256, np.bool_)).detail_columns("kind")
    if settings.gathers:
        Gathered().add(batch)
    for _ in settings.renderer(RenderOptions()).rows(_one_row()):
        pass
    if any(isinstance(own, SummaryReporter) for _, own in settings.reports):
        one = np.zeros(1, np.int64)
        Keyed(1, [np.add], 1, share_bits=0).observe([one], [1])
        # Reports are in the order of addresses as text.
        text_words(one, one)
        text_of(0, 0)


def _one_row() -> Table:
    """A row with a column of each kind."""
    one = np.zeros(1, np.int64)
    values = {
        Kind.ADDRESS: Values(np.zeros((1, 2), np.int64)),
        Kind.TIME: Values(one, digits=np.full(1, 6, np.uint8)),
        Kind.TEXT: Values(one, ("",)),
        Kind.OBJECT: Values(one, ([],)),
    }
    columns = tuple(Column(kind.value, kind, "") for kind in Kind)
    layout = Line("", tuple(Cell(column.name) for column in columns))
    every = {kind.value: values.get(kind, Values(one)) for kind in Kind}
    return Table(Schema(columns, layout), every)


class _Nowhere(Sink):
    def write(self, pieces: Iterable[bytes]) -> None:
        for _ in pieces:
            pass


def _handshake_and_write() -> list[bytes]:
    """SYN, SYN|ACK, a write that completes the handshake; and one more than a table for one holds.

    As IPv4 packets.
    """
    here, there = bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2))
    segments = (
        (here, there, SYN, b""),
        (there, here, SYN | ACK, b""),
        (here, there, ACK | PUSH, b"x"),
        (there, there, SYN, b""),
    )
    packets = []
    for number, (source, destination, flags, data) in enumerate(segments):
        ports = (40000, 80) if source is here else (80, 40000)
        sequence, acknowledgment = (1 if number > 1 else 0), (0 if flags == SYN else 1)
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledgment, 80, flags, 1000, 0, 0)
        total = 20 + len(tcp) + len(data)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, number, 0, 64, 6, 0, source, destination)
        packets.append(ip + tcp + data)
    return packets


def _captures(frames: list[bytes], files: Sequence[str]) -> list[bytes]:
    """The frames as captures in the formats of the files; in all, where that cannot be seen."""
    formats = {_SNOOP: _snoop, _PCAPNG: _pcapng, **dict.fromkeys(_PCAP, _pcap)}
    magics = {_magic(name) for name in files}
    makers = {formats[magic] for magic in magics if magic in formats}
    if not magics <= formats.keys():
        makers = set(formats.values())
    return [make(frames) for make in makers]


def _magic(name: str) -> bytes:
    """The first bytes of a file, nothing of a pipe: they are there only once."""
    if not os.path.isfile(name):
        return b""
    with open(name, "rb") as file:
        return file.read(4)


def _pcap(frames: list[bytes]) -> bytes:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP)
    records = (struct.pack("<IIII", 0, 0, len(f), len(f)) + f for f in frames)
    return header + b"".join(records)


def _pcapng(frames: list[bytes]) -> bytes:
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, _RAW_IP, 0, 65535, 20)
    blocks = []
    for frame in frames:
        padded = frame + bytes(-len(frame) % 4)
        length = 32 + len(padded)
        head = struct.pack("<IIIIIII", 6, length, 0, 0, 0, len(frame), len(frame))
        blocks.append(head + padded + struct.pack("<I", length))
    return section + interface + b"".join(blocks)


def _snoop(frames: list[bytes]) -> bytes:
    header = b"snoop\0\0\0" + struct.pack(">II", 2, _SNOOP_IPV4)
    records = []
    for frame in frames:
        lengths = (len(frame), len(frame), 24 + len(frame))
        records.append(struct.pack(">6I", *lengths, 0, 0, 0) + frame)
    return header + b"".join(records)


def _piped(content: bytes) -> PacketSource:
    """A capture of less than a pipe holds, as a source."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return open_savefile("-", standard_input=reading)
