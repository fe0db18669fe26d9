"""loss.pcap: every way in which bytes come late, again, or only as a question (SEMANTICS 7)."""

from __future__ import annotations

from captures.make.capture import Capture, pcap
from captures.make.conversation import Conversation
from captures.make.frames import ACK, FIN, PUSH, SYN
from captures.make.sessions import close, facts_of

HALF_TRIP_US = 10_000  # so the handshake takes 20 ms, and a hole younger than that is reordering
TIME_OUT_US = 300_000
SIZE = 1_000
OLD, NEW = 400, 600  # bytes of a segment that overlaps the one before
REQUEST = b"GET /everything\r\n"
NEAR_THE_END = 2**32 - 3_000  # the server's sequence numbers wrap after three segments


def captures() -> dict[str, Capture]:
    """The capture of this module by name."""
    return {"loss.pcap": loss()}


def loss() -> Capture:
    """One download; each step below is one event, or a few."""
    talk = Conversation(initial_sequences=(1_000_000_000, NEAR_THE_END), timestamps=False)
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK, after_us=HALF_TRIP_US)
    talk.originator.sends(ACK, after_us=HALF_TRIP_US)
    talk.originator.sends(PUSH | ACK, REQUEST)
    talk.responder.sends(ACK)
    steps = (_reordered, _fast, _time_out, _unseen, _spurious, _overlapping)
    for step in (*steps, _keep_alive, _window_probe, _fin_again):
        step(talk)
    new_segments = 3 + 4 + 1 + 2 + 1 + 1 + 1  # in the order of the steps; the last is the probe's
    facts = {
        "unique_bytes": len(REQUEST) + new_segments * SIZE + NEW,
        "retransmitted_bytes": 3 * SIZE + OLD,  # fast, time-out, spurious; overlapping
        "probe_bytes": 2,  # of a keep-alive and of a window probe
        "duplicate_bytes": 0,
        "events": {
            "out-of-order": 1,
            "retransmit fast": 1,
            "retransmit timeout": 2,
            "retransmit unseen": 1,
            "retransmit spurious": 1,
            "retransmit handshake": 1,
            "keep-alive": 2,
            "window-probe": 1,
        },
    }
    shows = "reordering, each kind of retransmission, keep-alives, a window probe; numbers wrap"
    return pcap(talk.packets, shows, {**facts_of(talk), **facts})


def _reordered(talk: Conversation) -> None:
    """The third segment overtakes the second by 1 ms."""
    for letter in b"abc":
        talk.responder.sends(ACK, _filled(letter))
    talk.overtake(after_us=1_000)
    talk.originator.sends(ACK)


def _fast(talk: Conversation) -> None:
    """The first of four is lost behind the capture point: three duplicate ACKs, sent again."""
    lost = talk.responder.next
    for letter in b"defg":
        talk.responder.sends(ACK, _filled(letter))
    for _ in range(3):
        talk.originator.sends(ACK, acknowledgment=lost, after_us=100)
    talk.responder.sends(ACK, _filled(ord("d")), sequence=lost, after_us=2_000)
    talk.originator.sends(ACK)


def _time_out(talk: Conversation) -> None:
    """Lost behind the capture point with nothing after it: sent again by the timer."""
    lost = talk.responder.next
    talk.responder.sends(PUSH | ACK, _filled(ord("h")))
    talk.responder.sends(PUSH | ACK, _filled(ord("h")), sequence=lost, after_us=TIME_OUT_US)
    talk.originator.sends(ACK)


def _unseen(talk: Conversation) -> None:
    """Lost before the capture point: seen once, long after the segment behind it."""
    lost = talk.responder.next
    talk.responder.sends(ACK, _filled(ord("i")), seen=False)
    talk.responder.sends(PUSH | ACK, _filled(ord("j")))
    talk.originator.sends(ACK, acknowledgment=lost)
    talk.responder.sends(ACK, _filled(ord("i")), sequence=lost, after_us=TIME_OUT_US)
    talk.originator.sends(ACK)


def _spurious(talk: Conversation) -> None:
    """The ACK is lost behind the capture point, so acknowledged bytes come again."""
    again = talk.responder.next
    talk.responder.sends(PUSH | ACK, _filled(ord("k")))
    talk.originator.sends(ACK)
    talk.responder.sends(PUSH | ACK, _filled(ord("k")), sequence=again, after_us=TIME_OUT_US)
    talk.originator.sends(ACK)


def _overlapping(talk: Conversation) -> None:
    """Sent again by the timer, together with bytes that are new."""
    talk.responder.sends(PUSH | ACK, _filled(ord("l")))
    again = talk.responder.next - OLD
    payload = b"l" * OLD + b"m" * NEW
    talk.responder.sends(PUSH | ACK, payload, sequence=again, after_us=TIME_OUT_US)
    talk.originator.sends(ACK)


def _keep_alive(talk: Conversation) -> None:
    """Two questions whether the server is still there, without and with a byte of old data."""
    for payload in (b"", b"\0"):
        before = talk.originator.next - 1
        talk.originator.sends(ACK, payload, sequence=before, after_us=10_000_000)
        talk.responder.sends(ACK)


def _window_probe(talk: Conversation) -> None:
    """The client's buffer is full; the server's probe is not accepted, its byte comes later."""
    probed = talk.responder.next
    talk.originator.sends(ACK, window=0)
    talk.responder.sends(ACK, b"n", sequence=probed, after_us=5_000_000)
    talk.originator.sends(ACK, acknowledgment=probed, window=0)
    talk.originator.sends(ACK, acknowledgment=probed, after_us=1_000_000)
    talk.responder.sends(PUSH | ACK, _filled(ord("n")), sequence=probed)
    talk.originator.sends(ACK)


def _fin_again(talk: Conversation) -> None:
    """The server's FIN is sent twice."""
    talk.responder.sends(FIN | ACK)
    talk.responder.next -= 1
    talk.wait(us=TIME_OUT_US)
    close(talk)


def _filled(letter: int) -> bytes:
    return bytes([letter]) * SIZE
