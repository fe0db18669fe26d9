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

    @property
    def label(self) -> str:
        """The words for people and for the notes: `not tcp`."""
        return self.name.lower().replace("_", " ")


# The constants kernels use: Numba freezes global integers, not enumerations.
TCP = int(Verdict.TCP)
NOT_IP = int(Verdict.NOT_IP)
NOT_TCP = int(Verdict.NOT_TCP)
FRAGMENT = int(Verdict.FRAGMENT)
ICMP_ERROR = int(Verdict.ICMP_ERROR)
CUT_SHORT = int(Verdict.CUT_SHORT)
BAD_LENGTH = int(Verdict.BAD_LENGTH)
UNSUPPORTED_LINK_TYPE = int(Verdict.UNSUPPORTED_LINK_TYPE)
