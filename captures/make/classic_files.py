"""The forms of classic pcap: byte order, resolution, gzip, cut tails, no packets at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from captures.make.capture import Capture, Packet, Truth, pcap
from captures.make.conversation import Conversation
from captures.make.files import gzip_bytes, pcap_bytes
from captures.make.link_headers import ETHERNET
from captures.make.sessions import facts_of, session

FILE_HEADER, RECORD_HEADER = 24, 16
ODD_NS = 123  # makes every time one that microseconds cannot hold


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "big-endian.pcap": big_endian(),
        "nanoseconds.pcap": nanoseconds(big_endian=False),
        "nanoseconds-big-endian.pcap": nanoseconds(big_endian=True),
        "session.pcap.gz": gzipped(),
        "cut-body.pcap": cut_body(),
        "cut-header.pcap": cut_header(),
        "cut.pcap.gz": cut_gzip(),
        "empty.pcap": empty(),
    }


def big_endian() -> Capture:
    """Written by a big-endian host."""
    talk = _session()
    content = pcap_bytes(talk.packets, big_endian=True)
    return _capture(content, "big-endian, microseconds", talk)


def nanoseconds(*, big_endian: bool) -> Capture:
    """Times with nine digits, in either byte order."""
    talk = _session()
    talk.packets = [
        replace(packet, time_ns=packet.time_ns + ODD_NS * (1 + index))
        for index, packet in enumerate(talk.packets)
    ]
    content = pcap_bytes(talk.packets, nanoseconds=True, big_endian=big_endian)
    order = "big" if big_endian else "little"
    return _capture(content, f"{order}-endian, nanoseconds", talk)


def gzipped() -> Capture:
    """A whole capture in gzip."""
    talk = _session()
    return _capture(gzip_bytes(pcap_bytes(talk.packets)), "a pcap in gzip", talk)


def cut_body() -> Capture:
    """The disk was full in the middle of the last record's packet."""
    talk = _session()
    content = pcap_bytes(talk.packets)[:-10]
    return _without_last(content, "the file ends inside a packet", talk)


def cut_header() -> Capture:
    """The file ends inside the header of its last record."""
    talk = _session()
    content = pcap_bytes(talk.packets)[: _end_of(talk.packets[:-1]) + 7]
    return _without_last(content, "the file ends inside a record header", talk)


def cut_gzip() -> Capture:
    """The gzip stream ends early: neither its last bytes nor its checksum came."""
    talk = _session()
    trailer = 8
    content = gzip_bytes(pcap_bytes(talk.packets))[: -trailer - 10]
    return _without_last(content, "a pcap in gzip, cut: it ends inside a packet", talk)


def empty() -> Capture:
    """A capture of nothing: the file header alone."""
    return pcap([], "no packets, only the file header", facts_of())


def _session() -> Conversation:
    talk = Conversation()
    session(talk)
    return talk


def _capture(content: bytes, shows: str, talk: Conversation) -> Capture:
    return Capture(content, shows, (ETHERNET,), talk.packets, _facts(talk.packets, talk))


def _without_last(content: bytes, shows: str, talk: Conversation) -> Capture:
    """All but the last packet can be read; `cut_at` is where the record of that one begins."""
    whole = talk.packets[:-1]
    facts = {**_facts(whole, talk), "cut_at": _end_of(whole)}
    return Capture(content, shows, (ETHERNET,), whole, facts)


def _facts(packets: Sequence[Packet], talk: Conversation) -> Truth:
    return {**facts_of(talk), "times_ns": [packet.time_ns for packet in packets]}


def _end_of(packets: Sequence[Packet]) -> int:
    return FILE_HEADER + sum(RECORD_HEADER + len(packet.frame) for packet in packets)
