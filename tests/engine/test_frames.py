"""Frames kept for decoding: by file and packet, their own bytes, until they are forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from captures.make.frames import SYN, Endpoint, ip, tcp
from captures.make.link_headers import RAW, ethernet
from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SEGMENT
from tcpsnoop.decode import decode
from tcpsnoop.engine.frames import Frames
from tcpsnoop.sources.memory import MemorySource
from tests.probe_batches import batch_of, row

ETHERNET = 1
SERVER = Endpoint("198.51.100.2", 4443)


def packet_of(port: int) -> bytes:
    """An IP packet with a SYN from a port."""
    client = Endpoint("192.0.2.1", port)
    return ip(client, SERVER, tcp(client, SERVER, flags=SYN))


def read(frames: list[bytes], link_types: int | list[int] = ETHERNET) -> PacketBatch:
    batch = MemorySource(frames, link_types=link_types).read(0)
    assert batch is not None
    return batch


def segments_at(*places: tuple[int, int]) -> NDArray[np.void]:
    """Segments in the frames of these indexes, of these interfaces."""
    segments = np.zeros(len(places), SEGMENT)
    for segment, (frame, interface) in zip(segments, places, strict=True):
        segment["frame"], segment["interface"] = frame, interface
    return segments


def rows_of(*places: tuple[int, int]) -> NDArray[np.void]:
    """Probe rows of these packets, of these interfaces."""
    return batch_of(
        [
            row("send", "192.0.2.1 1", "198.51.100.2 4443", packet=packet, interface=interface)
            for packet, interface in places
        ]
    ).rows


@pytest.fixture
def ethernet_frames() -> list[bytes]:
    return [ethernet(packet_of(port)) for port in (40001, 40002, 40003)]


def test_each_row_has_its_packet_decoded(ethernet_frames: list[bytes]) -> None:
    frames = Frames()
    frames.keep(segments_at((0, 0), (2, 0)), read(ethernet_frames), [CaptureInterface(ETHERNET)])
    texts = frames.decoded(rows_of((3, 0), (1, 0), (3, 0)))
    assert texts == [decode(ETHERNET, ethernet_frames[index]) for index in (2, 0, 2)]
    assert "40003" in texts[0]
    assert "40001" in texts[1]


def test_what_was_no_segment_is_not_kept(ethernet_frames: list[bytes]) -> None:
    frames = Frames()
    frames.keep(segments_at((0, 0)), read(ethernet_frames), [CaptureInterface(ETHERNET)])
    assert frames.decoded(rows_of((2, 0))) == [""]


def test_they_outlive_the_buffer_of_their_source(ethernet_frames: list[bytes]) -> None:
    frames = Frames()
    batch = read(ethernet_frames)
    frames.keep(segments_at((1, 0)), batch, [CaptureInterface(ETHERNET)])
    batch.data[:] = 0
    assert "40002" in frames.decoded(rows_of((2, 0)))[0]


def test_each_interface_has_its_link_type() -> None:
    frames = Frames()
    interfaces = [CaptureInterface(ETHERNET), CaptureInterface(RAW)]
    batch = read([ethernet(packet_of(1)), packet_of(2)], [ETHERNET, RAW])
    frames.keep(segments_at((0, 0), (1, 1)), batch, interfaces)
    framed, bare = frames.decoded(rows_of((1, 0), (2, 1)))
    assert "Ethernet" in framed
    assert "Ethernet" not in bare
    assert "TCP" in bare


def test_packets_of_two_files_have_the_same_numbers(ethernet_frames: list[bytes]) -> None:
    frames = Frames()
    interfaces = [CaptureInterface(ETHERNET, file=0)]
    frames.keep(segments_at((0, 0)), read(ethernet_frames[:1]), interfaces)
    interfaces.append(CaptureInterface(ETHERNET, file=1))
    frames.keep(segments_at((0, 1)), read(ethernet_frames[1:]), interfaces)
    first, second = frames.decoded(rows_of((1, 0), (1, 1)))
    assert "40001" in first
    assert "40002" in second


def test_forgotten_ones_are_gone(ethernet_frames: list[bytes]) -> None:
    frames = Frames()
    frames.keep(segments_at((0, 0)), read(ethernet_frames), [CaptureInterface(ETHERNET)])
    frames.forget()
    assert frames.decoded(rows_of((1, 0))) == [""]
