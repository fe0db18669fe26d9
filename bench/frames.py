"""Packets as Ethernet frames in a pcap file, thousands at a time.

A matrix has a row for each frame, as long as the longest; a mask then takes from each row what the
frame really has. Checksums are right, also where the snap length cuts the frame.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bench.traffic import SYN, Int, Packets

ROWS = 32_768
EPOCH = 1_700_000_000
RECORD, ETHERNET, IP, TCP, OPTIONS, LONGEST = 0, 16, 30, 50, 70, 1530

FIELDS = {
    "seconds": ("<u4", RECORD),
    "microseconds": ("<u4", RECORD + 4),
    "captured": ("<u4", RECORD + 8),
    "original": ("<u4", RECORD + 12),
    "total_length": (">u2", IP + 2),
    "identification": (">u2", IP + 4),
    "ip_checksum": (">u2", IP + 10),
    "source": (">u4", IP + 12),
    "destination": (">u4", IP + 16),
    "source_port": (">u2", TCP),
    "destination_port": (">u2", TCP + 2),
    "sequence": (">u4", TCP + 4),
    "acknowledgment": (">u4", TCP + 8),
    "data_offset": ("u1", TCP + 12),
    "flags": ("u1", TCP + 13),
    "tcp_checksum": (">u2", TCP + 16),
    "timestamp": (">u4", OPTIONS + 4),
    "timestamp_echo": (">u4", OPTIONS + 8),
    "syn_timestamp": (">u4", OPTIONS + 8),
    "syn_timestamp_echo": (">u4", OPTIONS + 12),
}
"""What differs between rows: pcap's record header, IPv4 (RFC 791), TCP (RFC 9293)."""

UNCHANGING = {
    ETHERNET: "020000000001 020000000002 0800",
    IP: "45 00 0000 0000 4000 40 06 0000",  # do not fragment, 64 hops, TCP
    TCP + 14: "01f6 0000 0000",  # window 502, in units of 128 bytes
}
SYN_OPTIONS = bytes.fromhex("020405b4 0402 080a0000000000000000 01 030307")
"""Maximum segment size 1460, selective acknowledgement, timestamps, window scale 7."""
OPTIONS_AFTER = bytes.fromhex("0101 080a0000000000000000")
PAYLOAD = OPTIONS + len(OPTIONS_AFTER)
TEXT = np.arange(LONGEST - PAYLOAD, dtype=np.uint8) % 26 + ord("a")
"""Every payload begins like this."""

FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


def write_pcap(path: Path, packets: Packets, snap_length: int = 262_144) -> None:
    """Write a little-endian pcap file of microseconds; a longer frame is cut at the snap length."""
    longest = PAYLOAD + int(packets.payload_bytes.max(initial=8))
    rows = np.empty((ROWS, longest), np.uint8)
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for first in range(0, len(packets), ROWS):
            part = packets.part(slice(first, first + ROWS))
            _write_rows(file, rows[: len(part)], part, first, snap_length)


def _write_rows(
    file: BinaryIO, rows: NDArray[np.uint8], packets: Packets, first: int, snap_length: int
) -> None:
    syn = (packets.flags & SYN) != 0
    header_bytes = np.where(syn, OPTIONS + len(SYN_OPTIONS), PAYLOAD) - ETHERNET
    frame_bytes = header_bytes + packets.payload_bytes
    captured = np.minimum(frame_bytes, snap_length)
    _fill(rows, packets, syn, frame_bytes)
    fields = _fields(rows)
    fields["seconds"] = EPOCH + packets.time_ns // 1_000_000_000
    fields["microseconds"] = packets.time_ns // 1000 % 1_000_000
    fields["captured"], fields["original"] = captured, frame_bytes
    fields["identification"] = (first + np.arange(len(packets))) % 65_536
    _checksums(rows, fields, packets, syn)
    kept = np.arange(rows.shape[1]) < (ETHERNET + captured)[:, None]
    file.write(rows[kept].data)


def _fields(rows: NDArray[np.uint8]) -> NDArray[np.void]:
    layout = np.dtype(
        {
            "names": list(FIELDS),
            "formats": [kind for kind, _ in FIELDS.values()],
            "offsets": [offset for _, offset in FIELDS.values()],
            "itemsize": rows.shape[1],
        }
    )
    return rows.view(layout)[:, 0]


def _fill(
    rows: NDArray[np.uint8], packets: Packets, syn: NDArray[np.bool_], frame_bytes: Int
) -> None:
    for offset, digits in UNCHANGING.items():
        value = bytes.fromhex(digits)
        rows[:, offset : offset + len(value)] = np.frombuffer(value, np.uint8)
    rows[:, OPTIONS:PAYLOAD] = np.frombuffer(OPTIONS_AFTER, np.uint8)
    rows[:, PAYLOAD:] = TEXT[: rows.shape[1] - PAYLOAD]
    rows[syn, OPTIONS : OPTIONS + len(SYN_OPTIONS)] = np.frombuffer(SYN_OPTIONS, np.uint8)
    fields = _fields(rows)
    fields["total_length"] = frame_bytes - (IP - ETHERNET)
    fields["data_offset"] = np.where(syn, 20 + len(SYN_OPTIONS), 20 + len(OPTIONS_AFTER)) // 4 << 4
    for name in ("source", "destination", "source_port", "destination_port"):
        fields[name] = getattr(packets, name)
    for name in ("sequence", "acknowledgment", "flags"):
        fields[name] = getattr(packets, name)
    for name in ("timestamp", "timestamp_echo"):
        fields[name][~syn] = getattr(packets, name)[~syn]
        fields["syn_" + name][syn] = getattr(packets, name)[syn]


def _checksums(
    rows: NDArray[np.uint8],
    fields: NDArray[np.void],
    packets: Packets,
    syn: NDArray[np.bool_],
) -> None:
    """The internet checksums of RFC 1071, of the whole packet."""
    fields["ip_checksum"] = _complement(_word_sum(rows[:, IP:TCP]))
    syn_end = OPTIONS + len(SYN_OPTIONS)
    header = np.where(syn, _word_sum(rows[:, TCP:syn_end]), _word_sum(rows[:, TCP:PAYLOAD]))
    pseudo = _word_sum(rows[:, IP + 12 : TCP]) + 6 + fields["total_length"].astype(np.int64) - 20
    place = np.where(np.arange(len(TEXT)) % 2 == 0, 256, 1)
    text_sums = np.concatenate([[0], np.cumsum(TEXT * place)])
    fields["tcp_checksum"] = _complement(header + pseudo + text_sums[packets.payload_bytes])


def _word_sum(columns: NDArray[np.uint8]) -> Int:
    """The sum of each row's 16-bit words."""
    high, low = columns[:, 0::2], columns[:, 1::2]
    words = 256 * high.sum(axis=1, dtype=np.int64) + low.sum(axis=1, dtype=np.int64)
    return np.asarray(words, np.int64)


def _complement(total: Int) -> Int:
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
