"""The usual parts of a connection, and what is true of a capture of whole connections."""

from __future__ import annotations

from captures.make.capture import Truth, accepted, connected
from captures.make.conversation import Conversation
from captures.make.frames import ACK, FIN, PUSH, SYN

# Rules of SEMANTICS 4.
BOTH_ENDS_LOCAL, BY_INTERFACE_ADDRESS, BY_PACKET_DIRECTION = 0, 2, 3
THE_ONE_ADDRESS, NO_END_IS_LOCAL = 4, 5


def handshake(talk: Conversation) -> None:
    """SYN, SYN|ACK, ACK."""
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK)
    talk.originator.sends(ACK)


def exchange(talk: Conversation, request: bytes, response: bytes) -> None:
    """A request and its response, each one segment and acknowledged."""
    talk.originator.sends(PUSH | ACK, request)
    talk.responder.sends(ACK)
    talk.responder.sends(PUSH | ACK, response)
    talk.originator.sends(ACK)


def close(talk: Conversation) -> None:
    """FIN from the responder, then from the originator, each acknowledged."""
    talk.responder.sends(FIN | ACK)
    talk.originator.sends(ACK)
    talk.originator.sends(FIN | ACK)
    talk.responder.sends(ACK)


def session(
    talk: Conversation, request: bytes = b"ping\r\n", response: bytes = b"pong\r\n"
) -> None:
    """A whole connection: handshake, request and response, close."""
    handshake(talk)
    exchange(talk, request, response)
    close(talk)


def facts_of(
    *talks: Conversation,
    connections: int = 1,
    connects: int = 1,
    accepts: int = 1,
    refused: int = 0,
) -> Truth:
    """What is true of a capture of these pairs of ends, whose local side nothing tells.

    The numbers are those of each pair; no two of them may share an address.
    """
    pairs = [(talk.originator.endpoint, talk.responder.endpoint) for talk in talks]
    return {
        "connections": connections * len(talks),
        "local_rule": NO_END_IS_LOCAL,
        "connects": [connected(*server, connects) for _, server in pairs] if connects else [],
        "accepts": [accepted(client.address, server.port, accepts) for client, server in pairs]
        if accepts
        else [],
        "refused": refused * len(talks),
    }
