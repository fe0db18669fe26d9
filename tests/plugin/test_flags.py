"""The plug-in's own tests: frames in memory, and what the report makes of them."""

from __future__ import annotations

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from tcpsnoop_flags import Flags

from tcpsnoop.engine.replay import replay

CLIENT, SERVER = "192.0.2.1", "192.0.2.2"


def frame(source: str, target: str, ports: tuple[int, int], flags: str) -> bytes:
    sport, dport = ports
    tcp = TCP(sport=sport, dport=dport, flags=flags, seq=1000)
    return bytes(Ether() / IP(src=source, dst=target) / tcp)


def refused(client_port: int, server_port: int) -> list[bytes]:
    """A SYN that is answered by a RST."""
    return [
        frame(CLIENT, SERVER, (client_port, server_port), "S"),
        frame(SERVER, CLIENT, (server_port, client_port), "RA"),
    ]


def test_segments_are_counted_by_their_flags() -> None:
    frames = [*refused(5000, 80), frame(CLIENT, SERVER, (5001, 443), "S")]
    assert replay(Flags(), frames) == [
        {"flags": "RST|ACK", "port": None, "segments": 1},
        {"flags": "SYN", "port": None, "segments": 2},
    ]


def test_with_by_port_each_port_of_a_responder_is_apart() -> None:
    frames = [*refused(5000, 80), frame(CLIENT, SERVER, (5001, 443), "S")]
    assert replay(Flags(by_port=True), frames) == [
        {"flags": "SYN", "port": 80, "segments": 1},
        {"flags": "SYN", "port": 443, "segments": 1},
        {"flags": "RST|ACK", "port": 80, "segments": 1},
    ]


def test_both_ends_local_is_still_one_segment() -> None:
    assert replay(Flags(), refused(5000, 80), local=[CLIENT, SERVER]) == [
        {"flags": "SYN", "port": None, "segments": 1},
        {"flags": "RST|ACK", "port": None, "segments": 1},
    ]
