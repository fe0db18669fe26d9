"""verdicts.pcap: a packet for each verdict of SEMANTICS 3, at its edges; icmp-error.pcap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from captures.make.capture import (
    BAD_LENGTH,
    CUT_SHORT,
    FRAGMENT,
    ICMP_ERROR,
    NOT_IP,
    NOT_TCP,
    TCP,
    Capture,
    Packet,
    pcap,
)
from captures.make.conversation import CLIENT, CLIENT_6, SERVER, SERVER_6, START_NS
from captures.make.frames import (
    ACK,
    AE,
    CWR,
    ECE,
    FIN,
    ICMP,
    ICMP_6,
    PUSH,
    RST,
    SYN,
    UDP,
    URG,
    icmp,
    ipv4,
    ipv6,
    tcp,
    udp,
)
from captures.make.link_headers import ARP, ethernet, padded

APART_NS = 1_000_000
TCP_IN_IPV4, TCP_IN_IPV6 = 14 + 20, 14 + 40  # where TCP begins in a frame
ARP_REQUEST = bytes.fromhex("0001080006040001 020000000001 c000020a 000000000000 c633640a")
SPANNING_TREE = bytes.fromhex(
    "424203 0000000000 8000020000000001 00000000 8000020000000001 8001 0000 1400 0200 0f00"
)
ALL_FLAGS = FIN | SYN | RST | PUSH | ACK | URG | ECE | CWR | AE
ENDS, ENDS_6 = (CLIENT, SERVER), (CLIENT_6, SERVER_6)
DATA = b"data"


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {"verdicts.pcap": verdicts(), "icmp-error.pcap": icmp_error()}


def verdicts() -> Capture:
    """Every verdict, and both sides of the lengths that decide."""
    packets = [*_segments(), *_no_segments(), *_cut(), *_bad_lengths()]
    shows = "each verdict: TCP, not IP, not TCP, fragment, cut short, bad length"
    return pcap(_in_time(packets), shows, {})


def icmp_error() -> Capture:
    """Errors that quote a segment: the quoted ports are no segment of the capture."""
    quoted = ipv4(*ENDS, tcp(*ENDS, flags=SYN))
    quoted_6 = ipv6(*ENDS_6, tcp(*ENDS_6, flags=SYN))
    router, router_6 = (
        SERVER._replace(address="198.51.100.1"),
        SERVER_6._replace(address="2001:db8::1"),
    )
    unreachable = icmp(router, CLIENT, 3, 3, bytes(4) + quoted[:28])  # RFC 792: 8 bytes of TCP
    unreachable_6 = icmp(router_6, CLIENT_6, 1, 4, bytes(4) + quoted_6)
    packets = [
        Packet(0, ethernet(quoted)),
        Packet(0, ethernet(ipv4(router, CLIENT, unreachable, protocol=ICMP)), verdict=ICMP_ERROR),
        Packet(0, ethernet(quoted_6)),
        Packet(
            0,
            ethernet(ipv6(router_6, CLIENT_6, unreachable_6, protocol=ICMP_6)),
            verdict=ICMP_ERROR,
        ),
    ]
    return pcap(_in_time(packets), "SYN answered by an ICMP error that quotes it", {})


def _segments() -> list[Packet]:
    data = ipv4(*ENDS, tcp(*ENDS, flags=PUSH | ACK, payload=DATA))
    too_long = ipv4(*ENDS, tcp(*ENDS, flags=ACK, payload=DATA), total_length=1_500)
    least = TCP_IN_IPV4 + 14
    return [
        Packet(0, ethernet(data), payload_bytes=4),
        Packet(0, ethernet(data)[:least], len(data) + 14, payload_bytes=4),
        Packet(0, ethernet(too_long), payload_bytes=4),
        Packet(0, padded(ethernet(ipv4(*ENDS, tcp(*ENDS, flags=0))), b"\xff")),
        Packet(0, ethernet(ipv6(*ENDS_6, tcp(*ENDS_6, flags=ALL_FLAGS)))),
    ]


def _no_segments() -> list[Packet]:
    later = ipv4(*ENDS, tcp(*ENDS, flags=ACK), fragment_offset=1_480)
    spanning_tree = ethernet(SPANNING_TREE, protocol=len(SPANNING_TREE))  # IEEE 802.3: a length
    echo = icmp(*ENDS, 8, 0, bytes(4) + DATA)
    return [
        Packet(0, ethernet(ARP_REQUEST, protocol=ARP), verdict=NOT_IP),
        Packet(0, padded(spanning_tree), verdict=NOT_IP),
        Packet(0, ethernet(ipv4(*ENDS, udp(*ENDS, DATA), protocol=UDP)), verdict=NOT_TCP),
        Packet(0, ethernet(ipv6(*ENDS_6, udp(*ENDS_6, DATA), protocol=UDP)), verdict=NOT_TCP),
        Packet(0, ethernet(ipv4(*ENDS, echo, protocol=ICMP)), verdict=NOT_TCP),
        Packet(0, ethernet(later), verdict=FRAGMENT),
    ]


def _cut() -> list[Packet]:
    """Fewer than 14 bytes of TCP were captured, or not even the header of IP or Ethernet."""
    four = ethernet(ipv4(*ENDS, tcp(*ENDS, flags=ACK)))
    six = ethernet(ipv6(*ENDS_6, tcp(*ENDS_6, flags=ACK)))
    kept = (
        (four, TCP_IN_IPV4 + 13),
        (six, TCP_IN_IPV6 + 13),
        (four, TCP_IN_IPV4 - 1),
        (six, TCP_IN_IPV6 - 1),
        (four, 13),
    )
    return [Packet(0, frame[:length], len(frame), verdict=CUT_SHORT) for frame, length in kept]


def _bad_lengths() -> list[Packet]:
    segment = tcp(*ENDS, flags=ACK, payload=DATA)
    below_least = ipv4(*ENDS, tcp(*ENDS, flags=ACK, data_offset=4))
    beyond_end = ipv4(*ENDS, tcp(*ENDS, flags=ACK, payload=DATA, data_offset=7))
    just_fits = ipv4(*ENDS, tcp(*ENDS, flags=ACK, payload=DATA, data_offset=6))
    short_header = ipv4(*ENDS, segment, header_words=4)
    short_packet = ipv4(*ENDS, segment, total_length=19)
    no_room = ipv4(*ENDS, tcp(*ENDS, flags=ACK), total_length=20 + 13)
    bad = (no_room, below_least, beyond_end, short_header, short_packet)
    return [
        *(Packet(0, padded(ethernet(packet)), verdict=BAD_LENGTH) for packet in bad),
        Packet(0, padded(ethernet(just_fits)), verdict=TCP),
    ]


def _in_time(packets: Iterable[Packet]) -> list[Packet]:
    return [
        replace(packet, time_ns=START_NS + index * APART_NS) for index, packet in enumerate(packets)
    ]
