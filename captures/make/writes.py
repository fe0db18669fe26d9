"""writes.pcap: application writes as the wire shows them (SEMANTICS 9).

Each write has a letter, and every byte of it is that letter: what was written can be told from the
bytes alone, without PUSH. The writes that count, in the order in which they end:

    a  client  2,500 = 1,000 + 1,000 + 500   in three segments, ACKs between them; ended by PUSH
    b  server    700                         one segment; PUSH
    c  client  2,300 = 1,000 + 300 + 1,000   the last overtakes the second; PUSH came early
    d  client    900                         sent, and retransmitted whole; PUSH
    e  client    350                         new bytes in a segment that repeats 900; PUSH
    f  client    600                         no PUSH: ended by data the other way
    g  server    450                         PUSH
    (h server  2,800 = 1,000 + 1,000 + 800   the second was never captured: void)
    i  server    333                         PUSH
    j  server    120                         on the FIN, no PUSH
    k  client     77                         no PUSH: ended by the FIN behind it
"""

from __future__ import annotations

from captures.make.capture import Capture, Truth, pcap
from captures.make.conversation import Conversation, End
from captures.make.frames import ACK, FIN, PUSH
from captures.make.sessions import facts_of, handshake

TIME_OUT_US = 300_000


def captures() -> dict[str, Capture]:
    """The capture of this module by name."""
    return {"writes.pcap": writes()}


def writes() -> Capture:
    """The writes of the table above."""
    talk = Conversation()
    client, server = talk.originator, talk.responder
    handshake(talk)
    _in_pieces(talk)
    _out_of_order(talk)
    _retransmitted(talk)
    client.sends(ACK, b"f" * 600)
    server.sends(PUSH | ACK, b"g" * 450)
    client.sends(ACK)
    _with_a_hole(talk)
    server.sends(FIN | ACK, b"j" * 120)
    client.sends(ACK)
    client.sends(ACK, b"k" * 77)
    client.sends(FIN | ACK)
    server.sends(ACK)
    facts = {
        "writes": [
            _write(client, 1_000 + 1_000 + 500, "push"),
            _write(server, 700, "push"),
            _write(client, 1_000 + 300 + 1_000, "push"),
            _write(client, 900, "push"),
            _write(client, 350, "push"),
            _write(client, 600, "data"),
            _write(server, 450, "push"),
            _write(server, 333, "push"),
            _write(server, 120, "fin"),
            _write(client, 77, "fin"),
        ],
        "void_writes": 1,
    }
    shows = "writes: in pieces, out of order, repeated, with a hole; ended by PUSH, data and FIN"
    return pcap(talk.packets, shows, {**facts_of(talk), **facts})


def _in_pieces(talk: Conversation) -> None:
    client, server = talk.originator, talk.responder
    client.sends(ACK, b"a" * 1_000)
    server.sends(ACK)
    client.sends(ACK, b"a" * 1_000)
    server.sends(ACK)
    client.sends(PUSH | ACK, b"a" * 500)
    server.sends(ACK)
    server.sends(PUSH | ACK, b"b" * 700)
    client.sends(ACK)


def _out_of_order(talk: Conversation) -> None:
    client = talk.originator
    client.sends(ACK, b"c" * 1_000)
    client.sends(ACK, b"c" * 300)
    client.sends(PUSH | ACK, b"c" * 1_000)
    talk.overtake(after_us=50)
    talk.responder.sends(ACK)


def _retransmitted(talk: Conversation) -> None:
    client, server = talk.originator, talk.responder
    again = client.next
    client.sends(PUSH | ACK, b"d" * 900)
    client.sends(PUSH | ACK, b"d" * 900, sequence=again, after_us=TIME_OUT_US)
    both = b"d" * 900 + b"e" * 350
    client.sends(PUSH | ACK, both, sequence=again, after_us=2 * TIME_OUT_US)
    server.sends(ACK)


def _with_a_hole(talk: Conversation) -> None:
    client, server = talk.originator, talk.responder
    server.sends(ACK, b"h" * 1_000)
    server.sends(ACK, b"h" * 1_000, seen=False)
    server.sends(PUSH | ACK, b"h" * 800)
    client.sends(ACK)
    server.sends(PUSH | ACK, b"i" * 333)
    client.sends(ACK)


def _write(end: End, size: int, ended_by: str) -> Truth:
    address, port = end.endpoint
    return {"laddr": address, "lport": port, "bytes": size, "ended_by": ended_by}
