"""The forms of pcapng: byte orders, sections, interfaces, resolutions, block types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from captures.make import link_headers
from captures.make.capture import Capture, Packet, Truth, by_time
from captures.make.conversation import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    START_NS,
    Conversation,
    Link,
    Path,
    on_ethernet,
)
from captures.make.files import INBOUND, OUTBOUND, SECOND_NS
from captures.make.host import HOST, HOST_6, host_facts, host_sessions
from captures.make.link_headers import COOKED_V2, ETHERNET, RAW, TO_US
from captures.make.pcapng import (
    CUSTOM,
    INTERFACE_STATISTICS,
    POWER_OF_TWO,
    Blocks,
    Interface,
    pcapng_bytes,
)
from captures.make.sessions import BY_INTERFACE_ADDRESS, BY_PACKET_DIRECTION, facts_of, session

NANOSECONDS, TWO_TO_THE_20 = 9, POWER_OF_TWO | 20  # values of if_tsresol
# Times that a clock holds exactly: 1/64 s fits all, 1/512 s only those of 2^-20 s and of 1 ns.
SLOT_NS, IN_SLOT_NS = SECOND_NS // 64, (0, 1, SECOND_NS // 512)

LINK_HEADER = 14  # of Ethernet

NOBODYS_BLOCK = 0x0000_7777  # a block type that was never assigned
PRIVATE_ENTERPRISE = 32473  # for examples (RFC 5612)


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "little-endian.pcapng": one_section(big_endian=False),
        "big-endian.pcapng": one_section(big_endian=True),
        "interfaces.pcapng": interfaces(),
        "sections.pcapng": sections(),
        "directions.pcapng": directions(),
        "addresses.pcapng": addresses(),
        "cut-block.pcapng": cut_block(),
        "empty.pcapng": empty(),
    }


def one_section(*, big_endian: bool) -> Capture:
    """The least that a pcapng file has, in either byte order."""
    talk = _session()
    order = "big" if big_endian else "little"
    content = pcapng_bytes(talk.packets, big_endian=big_endian)
    facts = facts_of(talk)
    return _capture(content, f"{order}-endian, one interface", (ETHERNET,), talk.packets, facts)


def interfaces() -> Capture:
    """Three interfaces, each with its link type and its clock; a connection on each."""
    known = (
        Interface(ETHERNET, name="eth0"),
        Interface(RAW, resolution=NANOSECONDS, name="tun0"),
        Interface(COOKED_V2, resolution=TWO_TO_THE_20, name="any"),
    )
    links: tuple[Link | None, ...] = (None, _bare, _cooked)
    ends = (
        (CLIENT, SERVER),
        (CLIENT_6, SERVER_6),
        (CLIENT._replace(address="203.0.113.7"), SERVER._replace(address="203.0.113.9")),
    )
    talks = []
    for index, (link, pair) in enumerate(zip(links, ends, strict=True)):
        paths = (Path(),) if link is None else (Path(link),)
        talk = Conversation(*pair, paths=paths)
        session(talk)
        first = START_NS + SLOT_NS * index + IN_SLOT_NS[index]
        talk.packets = [
            replace(packet, interface=index, time_ns=first + SLOT_NS * len(known) * number)
            for number, packet in enumerate(talk.packets)
        ]
        talks.append(talk)
    packets = by_time(*(talk.packets for talk in talks))
    content = pcapng_bytes(packets, interfaces=known)
    shows = "three interfaces: link types Ethernet, raw, cooked v2; clocks in us, ns, 2^-20 s"
    numbers = tuple(each.link_type for each in known)
    return _capture(content, shows, numbers, packets, facts_of(*talks))


def sections() -> Capture:
    """One connection in two sections of different byte order, with every kind of packet block.

    First section, little-endian: Ethernet; blocks of unknown types between; a Simple Packet Block,
    which has no time, so that the time is that of the packet before. Second section, big-endian:
    raw IP with nanoseconds counted from an offset, obsolete Packet Blocks, and an Ethernet
    interface that is described only after packets of the first.
    """
    talk = _session()
    packets = [*talk.packets]
    packets[3] = replace(packets[3], time_ns=packets[2].time_ns)
    packets[5:8] = [replace(each, frame=each.frame[LINK_HEADER:]) for each in packets[5:8]]
    content = _first_section(packets[:5]) + _second_section(packets[5:8], packets[8:])
    shows = "two sections of different byte order; Simple, obsolete and unknown blocks; an offset"
    return _capture(content, shows, (ETHERNET, RAW), packets, facts_of(talk))


def directions() -> Capture:
    """A host that connects over IPv4 and accepts over IPv6; epb_flags tell its side."""
    packets = _of_a_host()
    facts = host_facts(BY_PACKET_DIRECTION)
    content = pcapng_bytes(packets)
    return _capture(content, "epb_flags: each packet in or out", (ETHERNET,), packets, facts)


def addresses() -> Capture:
    """The same host; only the interface block tells its addresses."""
    packets = [replace(packet, direction=None) for packet in _of_a_host()]
    known = Interface(name="eth0", addresses=(f"{HOST}/24", f"{HOST_6}/64"))
    facts = host_facts(BY_INTERFACE_ADDRESS)
    content = pcapng_bytes(packets, interfaces=[known])
    return _capture(content, "if_IPv4addr and if_IPv6addr", (ETHERNET,), packets, facts)


def cut_block() -> Capture:
    """The file ends inside its last block."""
    talk = _session()
    whole = talk.packets[:-1]
    facts = {**facts_of(talk), "cut_at": len(pcapng_bytes(whole))}
    content = pcapng_bytes(talk.packets)[:-10]
    return _capture(content, "the file ends inside a block", (ETHERNET,), whole, facts)


def empty() -> Capture:
    """An interface, no packets."""
    return _capture(pcapng_bytes([]), "no packets, only an interface", (ETHERNET,), [], facts_of())


def _first_section(packets: Sequence[Packet]) -> bytes:
    blocks, ethernet = Blocks("<"), Interface(name="eth0")
    syn, *others, simple, last = packets
    return b"".join(
        [
            blocks.section_header(),
            blocks.interface(ethernet),
            blocks.enhanced_packet(syn, ethernet),
            blocks.block(CUSTOM, blocks.pack("I", PRIVATE_ENTERPRISE) + b"for examples"),
            blocks.block(NOBODYS_BLOCK, b"?"),
            *(blocks.enhanced_packet(packet, ethernet) for packet in others),
            blocks.simple_packet(simple),
            blocks.enhanced_packet(last, ethernet),
            blocks.block(INTERFACE_STATISTICS, blocks.pack("III", 0, 0, 0)),
        ]
    )


def _second_section(early: Sequence[Packet], late: Sequence[Packet]) -> bytes:
    blocks = Blocks(">")
    raw = Interface(RAW, resolution=NANOSECONDS, offset=START_NS // SECOND_NS, name="tun0")
    ethernet = Interface(name="eth0")
    return b"".join(
        [
            blocks.section_header(),
            blocks.interface(raw),
            *(blocks.obsolete_packet(packet, raw) for packet in early),
            blocks.interface(ethernet),
            *(blocks.enhanced_packet(replace(each, interface=1), ethernet) for each in late),
        ]
    )


def _session() -> Conversation:
    talk = Conversation()
    session(talk)
    return talk


def _capture(
    content: bytes, shows: str, numbers: tuple[int, ...], packets: Sequence[Packet], facts: Truth
) -> Capture:
    times = [packet.time_ns for packet in packets]
    return Capture(content, shows, numbers, packets, {**facts, "times_ns": times})


def _of_a_host() -> list[Packet]:
    outward, inward = host_sessions(on_ethernet, on_ethernet)
    return by_time(
        (_directed(packet, OUTBOUND, INBOUND) for packet in outward.packets),
        (_directed(packet, INBOUND, OUTBOUND) for packet in inward.packets),
    )


def _directed(packet: Packet, of_originator: int, of_responder: int) -> Packet:
    return replace(packet, direction=of_originator if packet.from_originator else of_responder)


def _bare(packet: bytes, from_originator: bool) -> bytes:
    del from_originator
    return packet


def _cooked(packet: bytes, from_originator: bool) -> bytes:
    del from_originator  # a machine between the two: everything comes in
    return link_headers.cooked_v2(packet, packet_type=TO_US)
