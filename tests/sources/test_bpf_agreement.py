"""Filters over the corpus: libpcap's own verdicts, for forty expressions and every packet.

With `BPFProgram.filter` on packets taken as whole, and with `tcpdump -r` on packets that are cut.
"""

from __future__ import annotations

import gzip
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pcapy
import pytest

from tcpsnoop.sources import bpf_machine
from tcpsnoop.sources.bpf import FilterError, FilterProgram, compile_filter
from tests.sources.bpf_reference import run

DLT = {14: 12, 101: 12}  # raw IP, the only one in the corpus whose number differs
LOOPBACKS = {0, 108, 109}  # BPFProgram takes live rules there, see test_bpf_loopback.py

FILTERS = [
    line
    for line in (Path(__file__).parent / "filters.txt").read_text().splitlines()
    if not line.startswith("#")
]

Packet = tuple[bytes, int]
"""The captured bytes and the length on the wire."""

Packets = dict[tuple[int, str], list[Packet]]
"""By link type and byte order: tcpdump expects that of the file in loopback packets."""

CUTS = (54, 68, 96, 20, 13)
"""Where packets are cut in turn: behind TCP's header and common snap lengths, inside headers."""


def classic_packets(data: bytes, order: str) -> Iterator[tuple[int, Packet]]:
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        captured, original = struct.unpack_from(order + "2I", data, at + 8)
        packet = data[at + 16 : at + 16 + captured]
        at += 16 + captured
        if at <= len(data):
            yield link_type, (packet, max(captured, original))


def pcapng_packets(data: bytes) -> Iterator[tuple[int, Packet]]:
    order, at = "<", 0
    link_types: list[int] = []
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":  # a section
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            link_types = []
        kind, length = struct.unpack_from(order + "2I", data, at)
        if kind == 1:  # an interface
            link_types += struct.unpack_from(order + "H", data, at + 8)
        elif kind == 6:  # an enhanced packet
            interface, captured, original = struct.unpack_from(order + "I8x2I", data, at + 8)
            packet = data[at + 28 : at + 28 + captured]
            yield link_types[interface], (packet, max(captured, original))
        at += max(length, 12)


def packets_of(path: Path) -> Iterator[tuple[int, Packet]]:
    """Link type and packet, up to where the file is damaged."""
    orders = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}
    orders |= {magic[::-1]: ">" for magic in orders}
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    with suppress(struct.error, IndexError):
        if data[:4] in orders:
            yield from classic_packets(data, orders[data[:4]])
        elif data[:4] == b"\x0a\x0d\x0d\x0a":
            yield from pcapng_packets(data)


def order_of(link_type: int, packet: bytes) -> str:
    """The byte order of the system that captured, for loopback packets: families are small."""
    swapped = link_type in LOOPBACKS and int.from_bytes(packet[:4], "little") > 0xFFFF
    return ">" if swapped else "<"


@pytest.fixture(scope="module")
def packets(corpus: Path) -> Packets:
    """Every packet of the corpus, hostile ones too, as captured."""
    found: Packets = {}
    for path in sorted([*corpus.glob("dev/*"), *corpus.glob("hostile/*")]):
        for link_type, packet in packets_of(path):
            if len(packet[0]) <= 262144:  # tcpdump reads no longer ones
                found.setdefault((link_type, order_of(link_type, packet[0])), []).append(packet)
    assert sum(map(len, found.values())) > 20_000
    return found


def program_or_none(expression: str, link_type: int) -> FilterProgram | None:
    """The program; None too where the whole expression is wrong for this link type."""
    try:
        return compile_filter(expression, link_type)
    except FilterError:
        return None


def test_there_are_forty_filters() -> None:
    assert len(set(FILTERS)) == 40


@pytest.mark.parametrize("expression", FILTERS)
def test_agrees_with_libpcap_on_whole_packets(expression: str, packets: Packets) -> None:
    """`BPFProgram.filter` passes the size of its packet as the length on the wire."""
    compared, passed = 0, 0
    for link_type, order in sorted(packets):
        if link_type in LOOPBACKS:
            continue
        program = program_or_none(expression, link_type)
        if program is None:
            continue
        whole = [packet for packet, _ in packets[link_type, order]]
        dlt = DLT.get(link_type, link_type)
        try:
            libpcap = pcapy.compile(dlt, 262144, expression, 1, 0xFFFFFFFF)
        except pcapy.PcapError:  # it rejects all packets of this link type
            expected = [False] * len(whole)
        else:
            expected = [libpcap.filter(packet) != 0 for packet in whole]
        assert run(bpf_machine, program, whole, [len(packet) for packet in whole]) == expected
        compared += len(whole)
        passed += sum(expected)
    assert 0 < passed < compared


def cut(packets: list[Packet]) -> list[Packet]:
    """Each packet as it is, and cut at one of CUTS if it is longer."""
    together = []
    for number, (packet, original) in enumerate(packets):
        shorter = packet[: CUTS[number % len(CUTS)]]
        together += [(packet, original), (shorter, original)]
    return together


def selected_by_tcpdump(
    expression: str, link_type: int, order: str, packets: list[Packet]
) -> list[int] | None:
    """The numbers of the packets that pass; None when tcpdump refuses the expression.

    They go to it as a file of the byte order that `order` says; a packet's time is its number.
    """
    records = [
        struct.pack(order + "4I", number, 0, len(packet), original) + packet
        for number, (packet, original) in enumerate(packets)
    ]
    header = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type)
    command = ["tcpdump", "-r", "-", "-w", "-", expression]
    done = subprocess.run(
        command, input=header + b"".join(records), capture_output=True, check=False
    )
    if done.returncode:
        assert b"tcpdump: " in done.stderr
        return None
    numbers, at = [], 24
    while at < len(done.stdout):  # it writes in the byte order of this machine
        number, _, captured, _ = struct.unpack_from("=4I", done.stdout, at)
        numbers.append(number)
        at += 16 + captured
    return numbers


@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("expression", FILTERS)
def test_agrees_with_tcpdump_on_cut_packets(expression: str, packets: Packets) -> None:
    compared, passed = 0, 0
    for link_type, order in sorted(packets):
        if compile_filter("", link_type) is None:
            continue  # pcapy's own libpcap may be older than tcpdump's, and know fewer
        together = cut(packets[link_type, order])
        expected = selected_by_tcpdump(expression, link_type, order, together)
        program = program_or_none(expression, link_type)
        if program is None:
            assert expected is None, f"tcpdump filters link type {link_type}"
            continue
        captured = [packet for packet, _ in together]
        accepted = run(bpf_machine, program, captured, [original for _, original in together])
        assert np.flatnonzero(accepted).tolist() == (expected or []), f"link type {link_type}"
        compared += len(together)
        passed += sum(accepted)
    assert 0 < passed < compared
