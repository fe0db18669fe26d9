"""What became of a packet: every packet gets exactly one verdict, counted and never raised."""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """The outcome of dissecting one packet (SEMANTICS 3)."""

    TCP = 0
    NOT_IP = 1
    NOT_TCP = 2
    FRAGMENT = 3
    ICMP_ERROR = 4
    CUT_SHORT = 5
    BAD_LENGTH = 6
    UNSUPPORTED_LINK_TYPE = 7
    ENCRYPTED = 8
    NESTED_TOO_DEEP = 9

    @property
    def label(self) -> str:
        """The words for people and for the notes: `not tcp`."""
        return self.name.lower().replace("_", " ")

    @property
    def reason(self) -> str | None:
        """Why such a packet is no segment, for people; None for a segment."""
        return _REASONS.get(self.name)


_REASONS = {
    "NOT_IP": "neither IPv4 nor IPv6 is in the frame",
    "NOT_TCP": "the innermost IP header announces another protocol",
    "FRAGMENT": "a later fragment of a datagram, which has no TCP header",
    "ICMP_ERROR": "a TCP header only quoted by an ICMP error",
    "CUT_SHORT": "fewer bytes were captured than the headers need",
    "BAD_LENGTH": "a header contradicts itself",
    "UNSUPPORTED_LINK_TYPE": "frames of this link type are not read",
    "ENCRYPTED": "what is in the frame is encrypted",
    "NESTED_TOO_DEEP": "more headers and tunnels in one another than are followed",
}


# The constants kernels use: Numba freezes global integers, not enumerations.
TCP = int(Verdict.TCP)
NOT_IP = int(Verdict.NOT_IP)
NOT_TCP = int(Verdict.NOT_TCP)
FRAGMENT = int(Verdict.FRAGMENT)
ICMP_ERROR = int(Verdict.ICMP_ERROR)
CUT_SHORT = int(Verdict.CUT_SHORT)
BAD_LENGTH = int(Verdict.BAD_LENGTH)
UNSUPPORTED_LINK_TYPE = int(Verdict.UNSUPPORTED_LINK_TYPE)
ENCRYPTED = int(Verdict.ENCRYPTED)
NESTED_TOO_DEEP = int(Verdict.NESTED_TOO_DEEP)
