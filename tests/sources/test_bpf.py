"""Filter expressions for files: what compiles, for which link types, and what is refused."""

from __future__ import annotations

import socket
import struct

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.sources import bpf_machine
from tcpsnoop.sources.bpf import FilterError, FilterProgram, compile_filter
from tests.sources.bpf_reference import run

ETHERNET, RAW_12, RAW_14, RAW, WIRELESS, COOKED, IPV4, NFLOG = 1, 12, 14, 101, 105, 113, 228, 239


def compiled(expression: str, link_type: int) -> FilterProgram:
    program = compile_filter(expression, link_type)
    assert program is not None
    return program


def ethernet(protocol: int, source: int, destination: int) -> bytes:
    """A frame with an IPv4 header and two ports."""
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 28, 1, 0, 64, protocol, 0, 0x0A000001, 0x7F000001)
    return bytes(12) + b"\x08\x00" + ip + struct.pack(">HHI", source, destination, 0)


def passes(expression: str, link_type: int, *packets: bytes) -> list[bool]:
    lengths = [len(packet) for packet in packets]
    return run(bpf_machine, compiled(expression, link_type), packets, lengths)


def test_an_expression_selects_packets_of_its_link_type() -> None:
    frames = ethernet(6, 1024, 80), ethernet(6, 80, 1024), ethernet(6, 1, 2), ethernet(17, 80, 80)
    assert passes("tcp port 80", ETHERNET, *frames) == [True, True, False, False]
    without_link = [frame[14:] for frame in frames]
    assert passes("tcp port 80", IPV4, *without_link) == [True, True, False, False]
    cooked = [bytes(14) + frame[12:] for frame in frames]
    assert passes("tcp port 80", COOKED, *cooked) == [True, True, False, False]


@pytest.mark.parametrize("link_type", [RAW_12, RAW_14, RAW])
def test_raw_ip_under_all_its_numbers(link_type: int) -> None:
    tcp, udp = ethernet(6, 1024, 80)[14:], ethernet(17, 1024, 80)[14:]
    assert passes("tcp port 80", link_type, tcp, udp) == [True, False]


@pytest.mark.parametrize("expression", ["", " "])
def test_no_expression_passes_everything(expression: str) -> None:
    assert passes(expression, ETHERNET, b"", bytes(60)) == [True, True]


@pytest.mark.parametrize("snaplen", [0, 1, 96, 262144, 2**32 - 1])
def test_what_passes_does_not_depend_on_the_snap_length(snaplen: int) -> None:
    program = compile_filter("tcp", ETHERNET, snaplen)
    assert program is not None
    frames = ethernet(6, 1, 2), ethernet(17, 1, 2)
    assert run(bpf_machine, program, frames, [1500, 1500]) == [True, False]


def test_names_are_resolved() -> None:
    try:
        socket.getservbyname("http", "tcp")
        socket.gethostbyname("localhost")
    except OSError:
        pytest.skip("this system knows no service `http` or no host `localhost`")
    frames = ethernet(6, 1024, 80), ethernet(6, 1024, 81)
    assert passes("tcp port http", ETHERNET, *frames) == [True, False]
    assert passes("dst host localhost", ETHERNET, *frames) == [True, True]  # 127.0.0.1
    assert passes("src host localhost", ETHERNET, *frames) == [False, False]


@pytest.mark.parametrize(
    ("expression", "link_type"),
    [
        ("tcp", 147),  # LINKTYPE_USER0: no headers are known
        ("tcp", NFLOG),
        ("tcp", 9999),
        ("tcp", 2**32 - 1),
        ("ether host 02:00:00:00:00:01", RAW),
        ("vlan", RAW),
        ("type mgt", ETHERNET),  # 802.11's own
    ],
)
def test_link_types_that_libpcap_cannot_filter_so_have_no_program(
    expression: str, link_type: int
) -> None:
    assert compile_filter(expression, link_type) is None


def test_a_length_is_no_matter_of_the_link_type() -> None:
    assert passes("greater 40", NFLOG, bytes(39), bytes(40)) == [False, True]


def test_what_a_link_type_never_carries_does_not_pass() -> None:
    """A program that rejects all is refused by libpcap; beside other link types it is right."""
    assert passes("ip6", IPV4, ethernet(6, 1, 2)[14:]) == [False]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("tcp port", "syntax error"),
        ("tcp[", "syntax error"),
        ("port nosuchservice", "nosuchservice"),
        ("port 65536", "65536"),
        ("host 1.2.3.4.5.6", "1.2.3.4.5.6"),
        ("ip broadcast", "netmask not known"),
        ("tcp\0udp", "null character"),
        ("tcp\udc80", "surrogates"),
    ],
)
@pytest.mark.parametrize("link_type", [ETHERNET, RAW, WIRELESS, 9999])
def test_wrong_expressions(expression: str, reason: str, link_type: int) -> None:
    with pytest.raises(FilterError) as error:
        compile_filter(expression, link_type)
    assert isinstance(error.value, UsageError)
    assert error.value.exit_code == 2
    text = str(error.value)
    assert text.startswith(f"filter {expression!r}: ")
    assert reason in text
    assert "\n" not in text


@pytest.mark.parametrize("link_type", [ETHERNET, RAW, 9999])
def test_a_contradiction_is_a_wrong_expression(link_type: int) -> None:
    with pytest.raises(FilterError, match="rejects all packets"):
        compile_filter("ip and ip6", link_type)


@pytest.mark.parametrize("expression", ["inbound", "outbound", "tcp port 80 and inbound"])
def test_what_only_a_live_capture_knows_is_refused(expression: str) -> None:
    with pytest.raises(FilterError, match="direction"):
        compile_filter(expression, ETHERNET)


def test_a_cooked_header_tells_the_direction() -> None:
    """Its packet type is 4 for what the host sent (tcpdump.org/linktypes.html, LINUX_SLL)."""
    packets = [struct.pack(">H", kind) + bytes(14) for kind in range(5)]
    assert passes("outbound", COOKED, *packets) == [False] * 4 + [True]
    assert passes("inbound", COOKED, *packets) == [True] * 4 + [False]
