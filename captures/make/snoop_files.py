"""The forms of Sun snoop: whole, cut off, and a record that lies."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from captures.make.capture import Capture, Packet
from captures.make.conversation import Conversation
from captures.make.link_headers import ETHERNET
from captures.make.sessions import facts_of, session
from captures.make.snoop import snoop_bytes

RECORD_LENGTH_AT = 8  # in a record's header


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "session.snoop": whole(),
        "cut.snoop": cut(),
        "damaged.snoop": damaged(),
    }


def whole() -> Capture:
    """A capture as Solaris writes it."""
    talk = _session()
    return _capture(snoop_bytes(talk.packets, dropped=3), "Sun snoop; 3 drops", talk, talk.packets)


def cut() -> Capture:
    """The file ends inside its last record, in the packet: the padding alone would not matter."""
    talk = _session()
    content = snoop_bytes(talk.packets)[:-10]
    return _cut_at_last(content, "Sun snoop: the file ends inside a record", talk)


def damaged() -> Capture:
    """The last record claims to be shorter than its packet."""
    talk = _session()
    content = bytearray(snoop_bytes(talk.packets))
    at = len(snoop_bytes(talk.packets[:-1])) + RECORD_LENGTH_AT
    content[at : at + 4] = struct.pack(">I", 30)
    return _cut_at_last(bytes(content), "Sun snoop: a record shorter than its packet", talk)


def _session() -> Conversation:
    talk = Conversation()
    session(talk)
    return talk


def _cut_at_last(content: bytes, shows: str, talk: Conversation) -> Capture:
    before = talk.packets[:-1]
    capture = _capture(content, shows, talk, before)
    capture.facts["cut_at"] = len(snoop_bytes(before))
    return capture


def _capture(content: bytes, shows: str, talk: Conversation, packets: Sequence[Packet]) -> Capture:
    facts = {**facts_of(talk), "times_ns": [packet.time_ns for packet in packets]}
    return Capture(content, shows, (ETHERNET,), packets, facts)
