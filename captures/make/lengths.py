"""Captures about lengths: padding, snap lengths, lengths of 0, lengths that are not true.

SEMANTICS 3: payload is what IP declares, whatever was captured; the frame's own length only where
IP declares 0, and as a limit.
"""

from __future__ import annotations

from dataclasses import replace

from captures.make.capture import CUT_SHORT, Capture, Packet, by_time, pcap
from captures.make.conversation import CLIENT_6, SERVER_6, START_NS, Conversation, Path, on_ethernet
from captures.make.extension_headers import inserted, jumbo
from captures.make.files import pcap_bytes
from captures.make.frames import ACK, PUSH
from captures.make.link_headers import ETHERNET, IPV6, padded
from captures.make.sessions import close, exchange, facts_of, handshake, session

SNAP_LENGTHS = (54, 68, 96)
TCP_AT_IN_IPV4, TCP_AT_IN_IPV6 = 14 + 20, 14 + 40
LEAST_TCP = 14  # bytes of a TCP header that make a segment
HEADERS_ONLY = 128

LONGEST_PAYLOAD = 65_535  # that IPv6's payload length can say
CHECK_SEQUENCE = 4  # bytes of Ethernet's frame check sequence


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "padded-acks.pcap": padded_acks(),
        **{f"snaplen-{length}.pcap": snapped(length) for length in SNAP_LENGTHS},
        "ip-length-0.pcap": ip_length_0(),
        "ipv6-length-0.pcap": ipv6_length_0(),
        "length-beyond-frame.pcap": length_beyond_frame(),
        "caplen-above-origlen.pcap": caplen_above_origlen(),
    }


def padded_acks() -> Capture:
    """Every frame has 60 bytes or more; the filler is not zero, and it is not data."""
    talk = Conversation(paths=(Path(_padded_ethernet),), timestamps=False)
    handshake(talk)
    for number in range(1, 6):
        exchange(talk, b"q" * number, b"r" * (2 * number))
    close(talk)
    shows = "frames padded to 60 bytes: the padding is no payload"
    return pcap(talk.packets, shows, facts_of(talk))


def snapped(snaplen: int) -> Capture:
    """One session over IPv4 and one over IPv6, of each frame the first `snaplen` bytes."""
    talks = _two_sessions()
    packets = [_cut(each, snaplen) for each in by_time(*(talk.packets for talk in talks))]
    left = max(0, snaplen - TCP_AT_IN_IPV6)
    seen = talks if left >= LEAST_TCP else talks[:1]
    shows = (
        f"snap length {snaplen}: declared lengths count; {left} bytes are left for TCP over IPv6"
    )
    content = pcap_bytes(packets, snaplen=snaplen)
    return Capture(content, shows, (ETHERNET,), packets, facts_of(*seen))


def ip_length_0() -> Capture:
    """The sender's own capture: the network card will cut these segments and fill in lengths."""
    talk = Conversation()
    handshake(talk)
    talk.originator.sends(PUSH | ACK, b"GET /large\r\n")
    talk.responder.sends(ACK)
    for size in (2_896, 5_792, 100_000):
        talk.responder.sends(PUSH | ACK, b"d" * size, declared=0)
        talk.originator.sends(ACK)
    close(talk)
    packets = [_headers_only(packet) for packet in talk.packets]
    shows = "IPv4 total length 0 (segmentation offload): the frame's length counts, whole or cut"
    return pcap(packets, shows, facts_of(talk))


def ipv6_length_0() -> Capture:
    """IPv6's payload length is 0; above 65,535 bytes a jumbo option has the true one."""
    talk = Conversation(CLIENT_6, SERVER_6, paths=(Path(_jumbo_ethernet),))
    handshake(talk)
    talk.originator.sends(PUSH | ACK, b"GET /large\r\n")
    talk.responder.sends(ACK)
    for size in (2_856, 5_712, 70_000):
        talk.responder.sends(PUSH | ACK, b"d" * size, declared=0)
        talk.originator.sends(ACK)
    close(talk)
    packets = [_headers_only(packet) for packet in talk.packets]
    shows = "IPv6 payload length 0: offload (the frame's length counts) and a jumbogram (its own)"
    return pcap(packets, shows, facts_of(talk))


def length_beyond_frame() -> Capture:
    """A response whose IP header declares 100 bytes more than the frame has: the frame limits."""
    response = b"r" * 200
    tcp_header = 32  # with the timestamps option
    talk = Conversation()
    handshake(talk)
    talk.originator.sends(PUSH | ACK, b"ping\r\n")
    talk.responder.sends(PUSH | ACK, response, declared=20 + tcp_header + len(response) + 100)
    talk.originator.sends(ACK)
    close(talk)
    shows = "IP declares more than the frame holds: clipped to the frame"
    return pcap(talk.packets, shows, facts_of(talk))


def caplen_above_origlen() -> Capture:
    """A record that claims to have been shorter on the wire than it is here."""
    talk = Conversation()
    session(talk)
    request = next(i for i, packet in enumerate(talk.packets) if packet.payload_bytes)
    talk.packets[request] = replace(talk.packets[request], original_length=60)
    shows = "a record with more bytes captured than sent: the captured length counts"
    return pcap(talk.packets, shows, facts_of(talk))


def _padded_ethernet(packet: bytes, from_originator: bool) -> bytes:
    return padded(on_ethernet(packet, from_originator), b"\xa5")


def _jumbo_ethernet(packet: bytes, from_originator: bool) -> bytes:
    """Ethernet with its check sequence, so that only the jumbo option tells the true length."""
    if len(packet) <= LONGEST_PAYLOAD:
        return on_ethernet(packet, from_originator)
    option = jumbo(0)
    option = jumbo(len(packet) - 40 + len(option.content))
    return on_ethernet(inserted(packet, option), from_originator) + bytes(CHECK_SEQUENCE)


def _two_sessions() -> tuple[Conversation, Conversation]:
    talks = Conversation(), Conversation(CLIENT_6, SERVER_6, start_ns=START_NS + 50_000)
    for talk in talks:
        session(talk, b"q" * 300, b"r" * 1_200)
    return talks


def _cut(packet: Packet, snaplen: int) -> Packet:
    """What a snap length leaves of an Ethernet frame, and whether that still is a segment."""
    is_ipv6 = packet.frame[12:14] == IPV6.to_bytes(2, "big")
    left = snaplen - (TCP_AT_IN_IPV6 if is_ipv6 else TCP_AT_IN_IPV4)
    kept = replace(packet, frame=packet.frame[:snaplen], original_length=len(packet.frame))
    return kept if left >= LEAST_TCP else replace(kept, verdict=CUT_SHORT, payload_bytes=0)


def _headers_only(packet: Packet) -> Packet:
    """Keep large files small: of the largest segments only the headers were captured."""
    if len(packet.frame) <= LONGEST_PAYLOAD:
        return packet
    return replace(packet, frame=packet.frame[:HEADERS_ONLY], original_length=len(packet.frame))
