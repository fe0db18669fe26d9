"""What a generator hands over: the bytes of a file, and what is true of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from captures.make.files import Record, pcap_bytes
from captures.make.link_headers import ETHERNET, LINK_NAMES

# Verdicts of a packet (SEMANTICS 3), as the generators state them.
TCP, NOT_IP, NOT_TCP, FRAGMENT = "tcp", "not ip", "not tcp", "fragment"
CUT_SHORT, BAD_LENGTH, UNSUPPORTED = "cut short", "bad length", "unsupported link type"
ICMP_ERROR = "icmp error"

Truth = dict[str, object]
"""Facts for MANIFEST.json by name; captures/README.md says what each name means."""


@dataclass(frozen=True)
class Packet(Record):
    """A packet, and what its maker knows of it."""

    verdict: str = TCP
    payload_bytes: int = 0  # of the TCP segment
    from_originator: bool = True


@dataclass(frozen=True)
class Capture:
    """A file of captures/: `link_types` and `packets` are empty where it is no capture."""

    content: bytes
    shows: str
    link_types: Sequence[int] = ()
    packets: Sequence[Packet] = ()
    facts: Truth = field(default_factory=dict)
    is_capture: bool = True

    def truth(self) -> Truth:
        """Everything that MANIFEST.json says of the file."""
        about: Truth = {
            "bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }
        if not self.is_capture:
            return about
        return {**about, "link_types": list(self.link_types), **counted(self.packets), **self.facts}

    def links(self) -> str:
        """The link types in words, for the table of captures/README.md."""
        return ", ".join(f"{LINK_NAMES[number]} ({number})" for number in self.link_types)


def counted(packets: Sequence[Packet]) -> Truth:
    """The counts that every capture has, as its generator stated them packet by packet."""
    verdicts = Counter(packet.verdict for packet in packets)
    return {
        "packets": len(packets),
        "tcp_segments": verdicts[TCP],
        "payload_bytes": sum(packet.payload_bytes for packet in packets),
        "verdicts": dict(sorted(verdicts.items())),
    }


def pcap(
    packets: Sequence[Packet], shows: str, facts: Truth, *, link_type: int = ETHERNET
) -> Capture:
    """A capture in the commonest form: little-endian pcap with microseconds."""
    content = pcap_bytes(packets, link_type=link_type)
    return Capture(content, shows, (link_type,), packets, facts)


def by_time(*several: Iterable[Packet]) -> list[Packet]:
    """The packets of several conversations in the order of their times."""
    return sorted((packet for each in several for packet in each), key=lambda each: each.time_ns)


def accepted(raddr: str, lport: int, count: int = 1) -> Truth:
    """A row of `accepts`: connections from an address accepted at a port."""
    return {"raddr": raddr, "lport": lport, "count": count}


def connected(raddr: str, rport: int, count: int = 1) -> Truth:
    """A row of `connects`: connections established to an address and port."""
    return {"raddr": raddr, "rport": rport, "count": count}
