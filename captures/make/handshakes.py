"""handshake-*.pcap: the ways in which a connection can begin, or not (SEMANTICS 6)."""

from __future__ import annotations

from captures.make.capture import Capture, pcap
from captures.make.conversation import CLIENT_6, SERVER_6, Conversation
from captures.make.frames import ACK, FIN, PUSH, RST, SYN
from captures.make.sessions import close, exchange, facts_of, handshake

SECOND_US = 1_000_000  # the first retransmission time-out (RFC 6298)
REQUEST, RESPONSE = b"ping\r\n", b"pong\r\n"


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    makers = {
        "syn-repeated": syn_repeated,
        "synack-repeated": synack_repeated,
        "synack-after-ack": synack_after_ack,
        "ack-with-data": ack_with_data,
        "ack-lost": ack_lost,
        "ack-never": ack_never,
        "reset": reset,
        "simultaneous": simultaneous,
        "refused": refused,
        "fin": fin,
        "fast-open": fast_open,
    }
    return {f"handshake-{name}.pcap": make() for name, make in makers.items()}


def syn_repeated() -> Capture:
    """The first SYN gets no answer, the second (the same number) does."""
    talk = Conversation()
    talk.originator.sends(SYN)
    talk.originator.sends(SYN, sequence=talk.originator.next - 1, after_us=SECOND_US)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(ACK)
    _rest(talk)
    return pcap(talk.packets, "SYN sent twice: one connection, one accept", facts_of(talk))


def synack_repeated() -> Capture:
    """The SYN|ACK is sent twice before the ACK comes; IPv6."""
    talk = Conversation(CLIENT_6, SERVER_6)
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    talk.responder.sends(SYN | ACK, sequence=talk.responder.next - 1, after_us=SECOND_US)
    talk.originator.sends(ACK)
    _rest(talk)
    return pcap(talk.packets, "SYN|ACK sent twice before the ACK: one accept", facts_of(talk))


def synack_after_ack() -> Capture:
    """The server drops the ACK (its queue is full): SYN|ACK again, acknowledged again."""
    talk = Conversation()
    handshake(talk)
    talk.responder.sends(SYN | ACK, sequence=talk.responder.next - 1, after_us=SECOND_US)
    talk.originator.sends(ACK)
    _rest(talk)
    shows = "SYN|ACK sent again after the ACK (accept overflow): one accept"
    return pcap(talk.packets, shows, facts_of(talk))


def ack_with_data() -> Capture:
    """The segment that completes the handshake carries the request."""
    talk = Conversation()
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    _rest(talk)
    return pcap(talk.packets, "the handshake's ACK carries data: one accept", facts_of(talk))


def ack_lost() -> Capture:
    """The handshake's ACK was not captured; the request behind it acknowledges the SYN|ACK too."""
    talk = Conversation(CLIENT_6, SERVER_6)
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(ACK, seen=False)
    _rest(talk)
    shows = "the handshake's ACK was not captured, data follows: one accept, at the data"
    return pcap(talk.packets, shows, facts_of(talk))


def ack_never() -> Capture:
    """No ACK ever comes: the server repeats its SYN|ACK and gives up."""
    talk = Conversation()
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    for doubling in range(3):
        again = talk.responder.next - 1
        talk.responder.sends(SYN | ACK, sequence=again, after_us=SECOND_US << doubling)
    shows = "SYN|ACK never acknowledged, no data: established for the originator, no accept"
    return pcap(talk.packets, shows, facts_of(talk, accepts=0))


def reset() -> Capture:
    """The originator answers the SYN|ACK with RST, as a half-open scan does."""
    talk = Conversation()
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(RST)
    shows = "RST instead of the ACK: established for the originator, no accept, not refused"
    return pcap(talk.packets, shows, facts_of(talk, accepts=0))


def simultaneous() -> Capture:
    """Both ends send SYN before they see the other's (RFC 9293 section 3.5, figure 7)."""
    talk = Conversation()
    first, second = talk.originator, talk.responder
    first.sends(SYN)
    second.sends(SYN, after_us=20)
    first.sends(SYN | ACK, sequence=first.next - 1)
    second.sends(SYN | ACK, sequence=second.next - 1, after_us=20)
    _rest(talk)
    return pcap(talk.packets, "simultaneous open: one connection", facts_of(talk))


def refused() -> Capture:
    """Nobody listens: RST answers the SYN."""
    talk = Conversation()
    talk.originator.sends(SYN)
    talk.responder.sends(RST | ACK)
    facts = facts_of(talk, connects=0, accepts=0, refused=1)
    return pcap(talk.packets, "SYN answered by RST: refused", facts)


def fin() -> Capture:
    """The originator has nothing to say: its ACK of the SYN|ACK carries FIN."""
    talk = Conversation()
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(FIN | ACK)
    talk.responder.sends(ACK)
    talk.responder.sends(FIN | ACK)
    talk.originator.sends(ACK)
    return pcap(talk.packets, "the handshake's ACK carries FIN: one accept", facts_of(talk))


def fast_open() -> Capture:
    """The SYN carries the request (RFC 7413), the SYN|ACK acknowledges it."""
    talk = Conversation()
    talk.originator.sends(SYN, REQUEST)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(ACK)
    talk.responder.sends(PUSH | ACK, RESPONSE)
    talk.originator.sends(ACK)
    close(talk)
    return pcap(talk.packets, "data on the SYN: one accept, at the ACK", facts_of(talk))


def _rest(talk: Conversation) -> None:
    exchange(talk, REQUEST, RESPONSE)
    close(talk)
