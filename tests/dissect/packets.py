"""The two packets that are carried by whatever a test is about, and what must come of them."""

from __future__ import annotations

from captures.make.frames import ACK, Endpoint, ip, tcp
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import ETHERNET, DissectOne

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8:ffff::2", 443)
FOUR = ip(*ENDS, tcp(*ENDS, flags=ACK, payload=b"four"))
SIX = ip(*ENDS_6, tcp(*ENDS_6, flags=ACK, payload=b"sixsix"))
OF_FOUR, OF_SIX = (*ENDS[0], *ENDS[1]), (*ENDS_6[0], *ENDS_6[1])


def reads_both(dissect: DissectOne, *frames: bytes, link_type: int = ETHERNET) -> None:
    """The two frames, the first of which carries FOUR, the second SIX, give their segments."""
    for frame, (ends, payload) in zip(frames, ((OF_FOUR, 4), (OF_SIX, 6)), strict=True):
        outcome = dissect(frame, link_type)
        assert outcome.ends == ends
        assert outcome["payload"] == payload


def gives(dissect: DissectOne, verdict: Verdict, *frames: bytes, link_type: int = ETHERNET) -> None:
    """Each frame, whole, has this verdict."""
    for number, frame in enumerate(frames):
        assert dissect(frame, link_type).verdict is verdict, number


def is_cut_short(
    dissect: DissectOne, frame: bytes, packet: bytes, link_type: int = ETHERNET
) -> None:
    """Wherever the capture cut it, before 14 bytes of TCP in `packet`, which ends the frame."""
    least = len(frame) - len(packet) + (20 if packet[0] >> 4 == 4 else 40) + 14
    for kept in range(least):
        outcome = dissect(frame[:kept], link_type, original=len(frame))
        assert outcome.verdict is Verdict.CUT_SHORT, kept
    assert dissect(frame[:least], link_type, original=len(frame)).verdict is Verdict.TCP
