"""finger.pcap: someone asks a finger server who is logged in (RFC 1288).

The session of the first output that tcpio2.d ever showed, segment by segment.
"""

from __future__ import annotations

from captures.make.capture import Capture, pcap
from captures.make.conversation import Conversation, Path, on_ethernet
from captures.make.frames import ACK, FIN, PUSH, Endpoint
from captures.make.link_headers import padded
from captures.make.sessions import facts_of, handshake

CLIENT = Endpoint("192.168.1.109", 56145)
SERVER = Endpoint("192.168.1.185", 79)

QUESTION = b"\r\n"  # an empty line asks for everyone
ANSWER = (
    b"Login    Name          TTY      Idle  When       Where\r\n"
    b"bgregg   B. Gregg      console  1:05  Mon 09:12\r\n"
    b"root     Super-User\r\n"
)


def captures() -> dict[str, Capture]:
    """The capture of this module by name."""
    return {"finger.pcap": finger()}


def finger() -> Capture:
    """Eleven segments as the server saw them: what it receives is padded, what it sends is not."""
    talk = Conversation(CLIENT, SERVER, paths=(Path(_at_the_server),), timestamps=False)
    client, server = talk.originator, talk.responder
    handshake(talk)
    client.sends(PUSH | ACK, QUESTION)
    server.sends(ACK)
    server.sends(PUSH | ACK, ANSWER, after_us=31_000)
    client.sends(ACK)
    server.sends(FIN | ACK)
    client.sends(ACK)
    client.sends(FIN | ACK)
    server.sends(ACK)
    writes = [
        {"laddr": CLIENT.address, "lport": CLIENT.port, "bytes": len(QUESTION), "ended_by": "push"},
        {"laddr": SERVER.address, "lport": SERVER.port, "bytes": len(ANSWER), "ended_by": "push"},
    ]
    shows = "the finger session of 2006: 11 segments, 2 bytes asked, 126 answered"
    return pcap(talk.packets, shows, {**facts_of(talk), "writes": writes})


def _at_the_server(packet: bytes, from_originator: bool) -> bytes:
    frame = on_ethernet(packet, from_originator)
    return padded(frame) if from_originator else frame
