"""A capture for each link type of other wires than Ethernet, and for what stands in Ethernet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from captures.make import link_headers as link
from captures.make.capture import Capture, Truth, by_time, pcap
from captures.make.conversation import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    START_NS,
    Conversation,
    Link,
    Path,
)
from captures.make.host import host_facts, host_sessions
from captures.make.link_headers import ethernet
from captures.make.recorder_headers import PKTAP_IN, PKTAP_OUT, nflog, pktap, ppi
from captures.make.sessions import BY_PACKET_DIRECTION, facts_of, session
from captures.make.wire_headers import (
    BACKBONE,
    MPLS,
    PADDED,
    PPPOE_SESSION,
    aggregate,
    arcnet,
    arcnet_exception,
    backbone,
    fddi,
    hdlc,
    ipoib,
    mpacket,
    mpls,
    ppp,
    pppoe,
    radiotap,
    snap,
    tagged_ethernet,
    wlan,
)

APART_NS = 100_000
NO_FRAMING = b""
HDLC_MULTICAST = 0x8F
EXPRESS, PREEMPTABLE = 0xD5, 0xE6  # start delimiters of mPackets
BETWEEN_SYSTEMS = 3
BEST_EFFORT, WITH_AGGREGATE = bytes(2), b"\x80\0"  # QoS fields
SYNCHRONOUS_LLC = 0xD0  # FDDI's frame control

Header = Callable[[bytes], bytes]
"""Puts a link header before an IP packet."""


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {**_inside_ethernet(), **_serial(), **_networks(), **_recorders(), **_directions()}


def _inside_ethernet() -> dict[str, Capture]:
    """What may stand between Ethernet and IP."""
    return {
        "mpls.pcap": _pcap(
            "MPLS: two labels; then a pseudowire of tagged Ethernet, its control word in front",
            lambda packet: ethernet(mpls(packet, 100, 200), protocol=MPLS),
            lambda packet: ethernet(mpls(bytes(4) + tagged_ethernet(packet), 300), protocol=MPLS),
        ),
        "pppoe.pcap": _pcap(
            "a PPPoE session; then one behind a VLAN tag",
            lambda packet: ethernet(pppoe(packet), protocol=PPPOE_SESSION),
            lambda packet: ethernet(pppoe(packet), tags=[(link.VLAN, 7)], protocol=PPPOE_SESSION),
        ),
        "backbone.pcap": _pcap(
            "802.1ah: a customer's frame, without and with a tag, behind a provider's tags",
            lambda packet: _in_backbone(ethernet(packet)),
            lambda packet: _in_backbone(tagged_ethernet(packet)),
        ),
        "snap.pcap": _pcap(
            "802.3 frames with LLC and SNAP",
            lambda packet: ethernet(snap(packet), protocol=len(snap(packet))),
            lambda packet: ethernet(snap(packet), protocol=len(snap(packet))),
        ),
    }


def _serial() -> dict[str, Capture]:
    return {
        "raw-14.pcap": _pcap("raw IP", _bare, _bare, link_type=link.RAW_OPENBSD),
        "ppp.pcap": _pcap(
            "PPP with framing; then without, its protocol of one byte",
            ppp,
            partial(ppp, framing=NO_FRAMING, compressed=True),
            link_type=link.PPP_BARE,
        ),
        "ppp-serial.pcap": _pcap(
            "PPP in HDLC-like framing; then C-HDLC, which shares the link type",
            ppp,
            hdlc,
            link_type=link.PPP_SERIAL,
        ),
        "ppp-ethernet.pcap": _pcap(
            "PPPoE without Ethernet", pppoe, pppoe, link_type=link.PPP_ETHERNET
        ),
        "hdlc.pcap": _pcap(
            "C-HDLC to one and to all",
            hdlc,
            partial(hdlc, address=HDLC_MULTICAST),
            link_type=link.HDLC,
        ),
    }


def _networks() -> dict[str, Capture]:
    return {
        "fddi.pcap": _pcap(
            "LLC in asynchronous and in synchronous frames",
            fddi,
            partial(fddi, control=SYNCHRONOUS_LLC),
            link_type=link.FDDI,
        ),
        "arcnet.pcap": _pcap(
            "the first part of a packet; then exception frames",
            partial(arcnet, linux=False, split=1),
            arcnet_exception,
            link_type=link.ARCNET_BSD,
        ),
        "arcnet-linux.pcap": _pcap(
            "IPv4 by RFC 1051, IPv6 by RFC 1201",
            partial(arcnet, linux=True, old=True),
            partial(arcnet, linux=True),
            link_type=link.ARCNET_LINUX,
        ),
        "infiniband.pcap": _pcap("IP over InfiniBand", ipoib, ipoib, link_type=link.IPOIB),
        "mpacket.pcap": _pcap(
            "express and preemptable frames with preamble and CRC",
            partial(mpacket, delimiter=EXPRESS),
            partial(mpacket, delimiter=PREEMPTABLE),
            link_type=link.MPACKET,
        ),
        "wlan.pcap": _pcap(
            "802.11: a frame with three addresses; then QoS with four, and an A-MSDU",
            wlan,
            lambda packet: wlan(
                packet, flags=BETWEEN_SYSTEMS, quality=WITH_AGGREGATE, body=aggregate(packet)
            ),
            link_type=link.WIRELESS,
        ),
        "radiotap.pcap": _pcap(
            "802.11 behind radiotap; then with QoS, its header padded to four bytes",
            lambda packet: radiotap(wlan(packet), time=True),
            lambda packet: radiotap(
                wlan(packet, quality=BEST_EFFORT, padded=True), flags=PADDED, time=True, words=2
            ),
            link_type=link.RADIOTAP,
        ),
    }


def _recorders() -> dict[str, Capture]:
    return {
        "nflog.pcap": _pcap(
            "netfilter's log, of a little-endian and of a big-endian host",
            nflog,
            partial(nflog, big_endian=True),
            link_type=link.NFLOG,
        ),
        "ppi.pcap": _pcap(
            "PPI before 802.11; then before Ethernet",
            lambda packet: ppi(wlan(packet), link_type=link.WIRELESS),
            lambda packet: ppi(ethernet(packet), link_type=link.ETHERNET),
            link_type=link.PPI,
        ),
    }


def _directions() -> dict[str, Capture]:
    """Link types that tell which way a packet went."""
    return {
        "pktap.pcap": _of_a_host(
            "Apple's header before Ethernet; a direction tells the side",
            lambda packet, sent: pktap(
                ethernet(packet), link_type=link.ETHERNET, direction=PKTAP_OUT if sent else PKTAP_IN
            ),
            link.PKTAP,
        ),
        "ppp-pppd.pcap": _of_a_host(
            "the direction in place of PPP's address",
            lambda packet, sent: bytes([sent]) + ppp(packet)[1:],
            link.PPP_PPPD,
        ),
        "ppp-direction.pcap": _of_a_host(
            "a direction, then PPP",
            lambda packet, sent: bytes([sent]) + ppp(packet),
            link.PPP_WITH_DIRECTION,
        ),
        "hdlc-direction.pcap": _of_a_host(
            "a direction, then C-HDLC",
            lambda packet, sent: bytes([sent]) + hdlc(packet),
            link.HDLC_WITH_DIRECTION,
        ),
    }


def _bare(packet: bytes) -> bytes:
    return packet


def _in_backbone(frame: bytes) -> bytes:
    return ethernet(backbone(frame), tags=[(link.SERVICE_VLAN, 100)], protocol=BACKBONE)


def _pcap(shows: str, first: Header, second: Header, *, link_type: int = link.ETHERNET) -> Capture:
    """A session over IPv4 with the first header, one over IPv6 with the second."""
    talks = [
        Conversation(CLIENT, SERVER, paths=(Path(_unaware(first)),)),
        Conversation(
            CLIENT_6, SERVER_6, paths=(Path(_unaware(second)),), start_ns=START_NS + APART_NS
        ),
    ]
    for talk in talks:
        session(talk)
    packets = by_time(*(talk.packets for talk in talks))
    return pcap(packets, shows, facts_of(*talks), link_type=link_type)


def _unaware(header: Header) -> Link:
    return lambda packet, from_originator: header(packet)


def _of_a_host(shows: str, header: Callable[[bytes, bool], bytes], link_type: int) -> Capture:
    """The header is told whether the host sent the packet."""

    def inward(packet: bytes, from_originator: bool) -> bytes:
        return header(packet, not from_originator)

    talks = host_sessions(header, inward)
    packets = by_time(*(talk.packets for talk in talks))
    facts: Truth = host_facts(BY_PACKET_DIRECTION)
    return pcap(packets, shows, facts, link_type=link_type)
