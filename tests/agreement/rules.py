"""Where we differ from tshark and tcptrace on purpose: rules on packets, never lists of them.

A rule for tshark says of a segment which marks may differ. A rule for tcptrace says of a segment by
how much tcptrace's counts of its direction differ from ours because of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tests.agreement.facts import Facts
from tests.agreement.observed import Segment

IDLE_NS = 240_000_000_000  # tcptrace takes what comes after so long for another connection


@dataclass(frozen=True)
class MarkRule:
    """Segments of which tshark may say something else: `applies`, and only about `marks`."""

    name: str
    section: int  # of SEMANTICS
    text: str
    marks: frozenset[str]
    applies: Callable[[Segment, Facts], bool]


@dataclass(frozen=True)
class Counts:
    """Of one direction of a connection, or what to add to it."""

    unique: int = 0
    retransmitted: int = 0
    out_of_order: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.unique + other.unique,
            self.retransmitted + other.retransmitted,
            self.out_of_order + other.out_of_order,
        )


@dataclass(frozen=True)
class CountRule:
    """What to add to our counts for a segment, to come to tcptrace's."""

    name: str
    section: int
    text: str
    differs: Callable[[Segment, Facts], Counts]


EVERY_MARK = frozenset(
    {
        "retransmission",
        "fast_retransmission",
        "spurious_retransmission",
        "out_of_order",
        "duplicate_ack",
        "keep_alive",
        "zero_window",
        "zero_window_probe",
    }
)
_KINDS = frozenset({"fast_retransmission", "spurious_retransmission"})
_LATE = frozenset({"retransmission", "out_of_order"})


ANEW = MarkRule(
    "begun anew",
    5,
    "Any SYN after the end of a connection begins a new one, as does a SYN|ACK from an end of "
    "which no SYN was seen. tshark keeps the stream when the number is the same or the other "
    "end's, and so takes the same numbers for sent again.",
    EVERY_MARK,
    lambda segment, facts: facts.anew,
)
MARK_RULES = (
    MarkRule(
        "copy",
        7,
        "A frame captured twice is one segment: the copy is told as `duplicate-frame` and judged "
        "no further. tshark takes every copy for a segment of its own.",
        EVERY_MARK,
        lambda segment, facts: segment.duplicate,
    ),
    ANEW,
    MarkRule(
        "age of the hole",
        7,
        "Data captured for the first time below the highest number sent or acknowledged fill a "
        "hole. They are out of order while the hole is younger than the initial RTT and not asked "
        "for by three duplicate ACKs, and lost before the capture otherwise. tshark measures from "
        "the latest ACK, not from the hole, and has exceptions (bytes acknowledged before they "
        "were captured, a segment that ends at the highest number).",
        _LATE | _KINDS,
        lambda segment, facts: facts.fills and ("out-of-order" in segment.fired) == facts.is_young,
    ),
    MarkRule(
        "bytes seen",
        7,
        "Bytes already captured are retransmitted, never out of order. tshark calls some of them "
        "out of order if they come soon enough.",
        _LATE,
        lambda segment, facts: facts.overlap > 0 and "retransmit" in segment.fired,
    ),
    MarkRule(
        "highest ACK",
        7,
        "A retransmission is spurious when all of it lies below the highest acknowledgment. tshark "
        "asks the latest one, which is lower when ACKs come late or are damaged.",
        frozenset({"spurious_retransmission"}),
        lambda segment, facts: (
            facts.overlap > 0
            and facts.acknowledged is not None
            and facts.latest is not None
            and facts.latest < facts.stop <= facts.acknowledged
        ),
    ),
    MarkRule(
        "SACK",
        7,
        "A SACK block is evidence enough for a fast retransmission. tshark 4.0 wants two duplicate "
        "ACKs.",
        frozenset({"fast_retransmission"}),
        lambda segment, facts: (
            facts.overlap > 0 and facts.acknowledgment is not None and facts.acknowledgment.sacked
        ),
    ),
    MarkRule(
        "SYN and FIN",
        7,
        "A SYN or FIN without data is a retransmission, of kind `handshake` and no other, when the "
        "same was sent before. tshark asks only whether its number is below the highest.",
        frozenset({"retransmission", "fast_retransmission"}),
        lambda segment, facts: segment.payload == 0 and segment.flags & (SYN | FIN) != 0,
    ),
    MarkRule(
        "repeated ACK",
        6,
        "An ACK without data that repeats the one before it, its window too, is a duplicate ACK "
        "when its own number is the next in order. tshark wants the highest number so far, which "
        "may be one damaged segment's.",
        frozenset({"duplicate_ack"}),
        lambda segment, facts: (
            segment.payload == 0
            and segment.flags & (SYN | FIN | RST | ACK) == ACK
            and facts.start != facts.highest
        ),
    ),
    MarkRule(
        "unacknowledged FIN",
        7,
        "A keep-alive comes when all before it is acknowledged. tshark does not ask for that.",
        frozenset({"keep_alive", "retransmission", "spurious_retransmission"}),
        lambda segment, facts: (
            segment.payload <= 1
            and facts.highest is not None
            and facts.start == facts.highest - 1
            and (facts.acknowledged is None or facts.acknowledged < facts.highest)
        ),
    ),
    MarkRule(
        "window of a RST",
        7,
        "The window field of a RST opens or closes nothing. tshark takes a byte after a RST for "
        "the probe of a zero window.",
        frozenset({"zero_window_probe"}),
        lambda segment, facts: facts.before is not None and facts.before.flags & RST != 0,
    ),
)


def numbers_of(segment: Segment) -> int:
    """Sequence numbers that are no bytes: those of SYN and FIN."""
    return (segment.flags & SYN != 0) + (segment.flags & FIN != 0)


def _copied(segment: Segment, facts: Facts) -> Counts:
    if not segment.duplicate:
        return Counts()
    return Counts(retransmitted=max(segment.payload, 0) + numbers_of(segment))


COUNT_RULES = (
    CountRule(
        "copy",
        7,
        "The bytes of a frame captured twice are counted once. tcptrace counts the copy's bytes "
        "as retransmitted.",
        _copied,
    ),
    CountRule(
        "late",
        7,
        "Data that fill an old hole were lost before the capture. tcptrace counts them as out of "
        "order.",
        lambda segment, facts: Counts(
            out_of_order=1 if facts.fills and not facts.is_young and facts.data_beyond else 0
        ),
    ),
    CountRule(
        "hole without data behind it",
        7,
        "A hole is also known from an ACK or a FIN behind it. tcptrace knows of it only by data "
        "behind it.",
        lambda segment, facts: Counts(
            out_of_order=-1 if "out-of-order" in segment.fired and not facts.data_beyond else 0
        ),
    ),
)


IDLE = MarkRule(
    "idle",
    5,
    "However long nothing comes, the connection goes on. tcptrace begins another one after four "
    "minutes.",
    frozenset(),
    lambda segment, facts: facts.quiet_ns > IDLE_NS,
)
LENGTHS = MarkRule(
    "length",
    3,
    "Payload is what the IP header declares, but never more than the frame has, without extension "
    "headers, and by the frame where 0 is declared. tcptrace takes the IP header's length as it "
    "is.",
    frozenset(),
    lambda segment, facts: segment.declared != segment.payload,
)
