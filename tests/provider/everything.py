"""A capture of everything that can go wrong: it fires every probe but `unreachable`."""

from __future__ import annotations

from tests.provider.talk import CLIENT, Sent, Wire

SECOND_US = 1_000_000


def everything() -> list[Sent]:
    """Several connections of one client; the last packet comes 4 s after an unanswered SYN."""
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    talk.b.syn_ack(sequence=5_000)
    wire.again(after_us=10)  # a copy
    talk.a.push(100)
    talk.a.push(100, sequence=1_001)
    talk.a.data(100, seen=False)
    talk.a.data(100)
    talk.b.ack(1_101, after_us=1)
    talk.b.ack(1_101, after_us=1)
    talk.a.data(100, sequence=1_101, after_us=1)  # out of order
    talk.b.push(50)
    talk.a.ack()
    talk.b.push(50, sequence=5_001)  # spurious
    talk.b.ack(window=0)
    talk.a.data(1)  # a window probe
    talk.b.ack(1_302)
    talk.a.data(0, sequence=1_301)  # a keep-alive
    talk.b.rst()
    refused = wire.talk(CLIENT._replace(port=50_000))
    refused.a.syn()
    refused.b.rst()
    wire.talk(CLIENT._replace(port=50_001)).a.syn()  # not answered
    refused.a.data(1, after_us=4 * SECOND_US)
    return wire.sent
