"""The endless capture: later each time, of two networks in turn, and otherwise the same packets."""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path

from bench.frames import write_pcap
from bench.repeat import record_offsets, write_repeated
from bench.traffic import DOWNLOAD, conversations
from tests.sources.reading import Packet, packets_of, source_of

COUNT = 600
SECOND_OCTETS = (14 + 12 + 1, 14 + 16 + 1)  # of the addresses of IPv4 in Ethernet


def repeated(path: Path, least_bytes: int) -> tuple[int, bytes]:
    """How many packets were said to be written, and what came out of the pipe."""
    reading, writing = os.pipe()
    parts: list[bytes] = []

    def collect() -> None:
        while part := os.read(reading, 1 << 16):
            parts.append(part)

    reader = threading.Thread(target=collect)
    reader.start()
    count = write_repeated(path, least_bytes, writing)
    os.close(writing)
    reader.join()
    os.close(reading)
    return count, b"".join(parts)


def without_second_octets(packet: Packet) -> bytes:
    data = bytearray(packet.data)
    for at in SECOND_OCTETS:
        data[at] = 0
    return bytes(data)


def test_three_times_the_same_packets_later_and_of_two_networks(tmp_path: Path) -> None:
    path = tmp_path / "once.pcap"
    write_pcap(path, conversations(COUNT, 10, DOWNLOAD, mean_packets=60))
    once = path.read_bytes()
    assert len(record_offsets(once)) == COUNT
    count, content = repeated(path, 2 * len(once))
    assert count == 3 * COUNT
    assert len(content) == 24 + 3 * (len(once) - 24)
    packets = packets_of(source_of(content, capacity=1 << 20))
    assert len(packets) == count
    assert path.read_bytes() == once
    first, second, third = (packets[at : at + COUNT] for at in range(0, count, COUNT))
    for later in (second, third):
        assert [*map(without_second_octets, later)] == [*map(without_second_octets, first)]
    pairs = [{packet.data[26:34] for packet in each} for each in (first, second, third)]
    assert not pairs[0] & pairs[1]
    assert pairs[2] == pairs[0]
    assert second[0].time_ns > first[-1].time_ns
    assert third[0].time_ns > second[-1].time_ns
    assert struct.unpack_from("<I", content)[0] == 0xA1B2C3D4
