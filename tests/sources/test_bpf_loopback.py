"""Filters of loopback captures: the address families of all systems, in both byte orders."""

from __future__ import annotations

import struct

import pytest

from tcpsnoop.sources import bpf_machine
from tcpsnoop.sources.bpf import compile_filter
from tcpsnoop.sources.bpf_loopback import accept_all_families
from tcpsnoop.sources.bpf_program import Instruction
from tests.sources.bpf_reference import run

NULL, LOOP, ENC = 0, 108, 109
# tcpdump.org/linktypes.html, LINKTYPE_NULL: 2 is IPv4; 24, 28 and 30 are IPv6 of various systems.
IPV4, IPV6 = 2, (24, 28, 30)


def passes(expression: str, link_type: int, header: bytes, packet: bytes = b"") -> bool:
    program = compile_filter(expression, link_type)
    assert program is not None
    return run(bpf_machine, program, [header + packet], [len(header + packet)]) == [True]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("link_type", [NULL, ENC])
def test_families_in_the_order_of_any_system(link_type: int, order: str) -> None:
    rest = bytes(8) if link_type == ENC else b""
    for family in range(40):
        header = struct.pack(order + "I", family) + rest
        assert passes("ip", link_type, header) is (family == IPV4)
        assert passes("ip6", link_type, header) is (family in IPV6)
        assert passes("not ip6", link_type, header) is (family not in IPV6)


def test_openbsd_loopback_is_in_network_order() -> None:
    for family in range(40):
        assert passes("ip", LOOP, struct.pack(">I", family)) is (family == IPV4)
        assert passes("ip6", LOOP, struct.pack(">I", family)) is (family in IPV6)
        assert passes("ip or ip6", LOOP, struct.pack("<I", family)) is False


@pytest.mark.parametrize("family", IPV6)
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_follows_the_family_is_still_tested(family: int, order: str) -> None:
    header = struct.pack(order + "I", family)
    ipv6 = struct.pack(">IHBB", 6 << 28, 20, 6, 64) + bytes(32)
    tcp = struct.pack(">HH", 40000, 80) + bytes(16)
    assert passes("tcp port 80", NULL, header, ipv6 + tcp)
    assert not passes("tcp port 81", NULL, header, ipv6 + tcp)
    assert not passes("udp port 80", NULL, header, ipv6 + tcp)
    assert passes("ip6 protochain 6", NULL, header, ipv6 + tcp)  # jumps backwards, by constants
    assert not passes("ip6 protochain 17", NULL, header, ipv6 + tcp)


def test_a_user_s_own_test_of_the_family_stays_as_written() -> None:
    for family in (2, 10, 24, 28, 30):
        word = struct.pack("<I", family)
        own = f"link[0:4] = {int.from_bytes(word, 'big')}"
        assert passes(own, NULL, word)
        for other in {2, 10, 24, 28, 30} - {family}:
            assert not passes(own, NULL, struct.pack("<I", other))
        assert not passes(own, NULL, struct.pack(">I", family))


def test_jumps_reach_over_widened_tests() -> None:
    """By hand: `ja` over a widened test and back before it, conditional jumps out of it."""
    ipv4_here = int.from_bytes(struct.pack("=I", IPV4), "big")
    load: Instruction = (0x20, 0, 0, 0)
    reject, accept = (0x06, 0, 0, 0), (0x06, 0, 0, 1)
    program: list[Instruction] = [
        (0x05, 0, 0, 2),  # to the jset
        load,
        (0x15, 2, 3, ipv4_here),  # to accept or reject
        (0x45, 0, 1, 1),  # to the ja or accept
        (0x05, 0, 0, -4),  # to the load
        accept,
        reject,
    ]
    assert accept_all_families(program, NULL) == [
        (0x05, 0, 0, 3),
        load,
        (0x15, 3, 0, 0x02000000),
        (0x15, 2, 3, 0x00000002),
        (0x45, 0, 1, 1),
        (0x05, 0, 0, -5),
        accept,
        reject,
    ]
