"""reuse-*.pcap and midstream.pcap: where a new connection starts under the same ports.

SEMANTICS 5 has the rules.
"""

from __future__ import annotations

from captures.make.capture import Capture, pcap
from captures.make.conversation import Conversation
from captures.make.frames import ACK, PUSH, RST, SYN
from captures.make.sessions import close, exchange, facts_of, handshake, session

LATER_US = 1_000_000
OTHER_NUMBERS = (1_500_000_000, 3_500_000_000)
REQUEST, RESPONSE = b"ping\r\n", b"pong\r\n"


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "reuse-after-fin.pcap": after_fin(),
        "reuse-after-reset.pcap": after_reset(),
        "reuse-while-open.pcap": while_open(),
        "reuse-syn-missed.pcap": syn_missed(),
        "midstream.pcap": midstream(),
    }


def after_fin() -> Capture:
    """Closed by FIN from both sides, then SYN with another number."""
    talk = Conversation()
    session(talk)
    talk.wait(us=LATER_US)
    talk.renew(OTHER_NUMBERS)
    session(talk)
    shows = "the same ports again after FIN, another ISN: two connections, two accepts"
    return pcap(talk.packets, shows, _twice(talk))


def after_reset() -> Capture:
    """Ended by RST, then SYN with the very same number: the connection was closed, so a new one."""
    numbers = (1_000_000_000, 3_000_000_000)
    talk = Conversation(initial_sequences=numbers)
    handshake(talk)
    exchange(talk, REQUEST, RESPONSE)
    talk.originator.sends(RST | ACK)
    talk.wait(us=LATER_US)
    talk.renew(numbers)
    session(talk)
    shows = "the same ports again after RST, the same ISN: two connections, two accepts"
    return pcap(talk.packets, shows, _twice(talk))


def while_open() -> Capture:
    """The client restarted: SYN with another number while the old connection is still open."""
    talk = Conversation()
    handshake(talk)
    exchange(talk, REQUEST, RESPONSE)
    talk.wait(us=LATER_US)
    talk.renew(OTHER_NUMBERS)
    session(talk)
    shows = "the same ports again while open, another ISN: two connections, two accepts"
    return pcap(talk.packets, shows, _twice(talk))


def syn_missed() -> Capture:
    """The second connection's SYN was not captured: its SYN|ACK begins it."""
    talk = Conversation()
    session(talk)
    talk.wait(us=LATER_US)
    talk.renew(OTHER_NUMBERS)
    talk.originator.sends(SYN, seen=False)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(ACK)
    exchange(talk, REQUEST, RESPONSE)
    close(talk)
    shows = "the same ports again after FIN, SYN not captured: two connections, two accepts"
    return pcap(talk.packets, shows, facts_of(talk, connections=2, accepts=2))


def midstream() -> Capture:
    """Begun before the capture; then the same ports again, from the handshake on."""
    talk = Conversation()
    exchange(talk, REQUEST, RESPONSE)
    talk.responder.sends(PUSH | ACK, RESPONSE)
    talk.originator.sends(ACK)
    talk.wait(us=LATER_US)
    talk.renew(OTHER_NUMBERS)
    session(talk)
    shows = "first seen in the middle, then a SYN: two connections, one accept"
    return pcap(talk.packets, shows, facts_of(talk, connections=2))


def _twice(talk: Conversation) -> dict[str, object]:
    return facts_of(talk, connections=2, connects=2, accepts=2)
