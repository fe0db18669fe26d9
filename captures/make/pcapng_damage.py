"""pcapng that is damaged in the middle, with a section behind the damage."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from captures.make.capture import Capture, Packet
from captures.make.conversation import Conversation
from captures.make.link_headers import ETHERNET
from captures.make.pcapng import pcapng_bytes
from captures.make.sessions import facts_of, session

BLOCK_LENGTH_AT = 4
BEFORE, AFTER = 5, 7  # packets before the damage, and the first one behind it


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "damaged-length.pcapng": wrong_length(),
        "damaged-joined.pcapng": joined(),
        "damaged-claim.pcapng": claim(),
    }


def wrong_length() -> Capture:
    """A block has a length that none can have."""
    talk = _session()
    content = _with_length(pcapng_bytes(talk.packets[:AFTER]), talk.packets[:BEFORE], 7)
    return _capture(content, "a block of length 7, then a section", talk)


def joined() -> Capture:
    """Two files joined; the first had been cut off inside a block."""
    talk = _session()
    content = pcapng_bytes(talk.packets[: BEFORE + 1])[:-21]
    return _capture(content, "two files joined, the first one cut off", talk)


def claim() -> Capture:
    """A block claims all that follows."""
    talk = _session()
    content = _with_length(pcapng_bytes(talk.packets[:AFTER]), talk.packets[:BEFORE], 1 << 20)
    return _capture(content, "a block that claims a MiB, then a section", talk)


def _session() -> Conversation:
    talk = Conversation()
    session(talk)
    return talk


def _with_length(content: bytes, before: Sequence[Packet], length: int) -> bytes:
    """With another length of the block behind these packets."""
    at = len(pcapng_bytes(before)) + BLOCK_LENGTH_AT
    return content[:at] + struct.pack("<I", length) + content[at + 4 :]


def _capture(damaged: bytes, shows: str, talk: Conversation) -> Capture:
    before, after = talk.packets[:BEFORE], talk.packets[AFTER:]
    packets = [*before, *after]
    facts = {
        **facts_of(talk),
        "times_ns": [packet.time_ns for packet in packets],
        "cut_at": len(pcapng_bytes(before)),
        "read_on_at": len(damaged),
    }
    content = damaged + pcapng_bytes(after, big_endian=True)
    return Capture(content, shows, (ETHERNET, ETHERNET), packets, facts)
