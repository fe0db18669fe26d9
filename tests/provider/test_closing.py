"""Where a connection ends, why, and when `closed` tells it (SEMANTICS 6 and 11)."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.segments import ACK, RST, SYN
from tests.provider.opening import OTHER, ended
from tests.provider.talk import Endpoint, Talk, Wire
from tests.provider.tracked import Fired, track


def test_fin_both_ways_ends_at_the_last_acknowledgment(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.close()
    talk.b.ack()
    assert ended(wire) == [(7, "fin")]


def test_fins_that_cross(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.fin(acknowledgment=5_001)
    talk.b.fin(acknowledgment=1_001)
    talk.a.ack()
    assert ended(wire) == [(6, "fin")]  # at the end of the input: one FIN is not acknowledged
    talk.b.ack()
    assert ended(wire) == [(7, "fin")]


def test_fins_and_their_acknowledgments_in_any_order(wire: Wire, talk: Talk) -> None:
    """The last FIN is captured behind its acknowledgment."""
    talk.handshake()
    talk.a.fin()
    talk.b.fin()
    talk.a.ack()
    wire.overtake()
    talk.a.ack(after_us=1e6)
    assert ended(wire) == [(6, "fin")]


def test_data_behind_one_fin_does_not_end_it(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.fin(10)
    talk.b.push(100)
    talk.a.ack()
    talk.b.fin(20)
    talk.a.ack()
    assert ended(wire) == [(8, "fin")]


def test_a_fin_sent_again_does_not_end_it(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    fin = talk.a.fin()
    wire.again(fin, ip_id=99)
    wire.again(fin, ip_id=100)
    assert ended(wire) == [(6, "end_of_input")]


@pytest.mark.parametrize(("who", "reason"), [("a", "rst_originator"), ("b", "rst_responder")])
def test_a_rst_ends_it_at_once(wire: Wire, talk: Talk, who: str, reason: str) -> None:
    talk.handshake()
    getattr(talk, who).rst()
    talk.a.rst()
    talk.b.rst()
    assert ended(wire) == [(4, reason)]


def test_a_rst_after_both_fins_ends_what_the_fins_closed(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.fin()
    talk.b.fin()
    talk.a.rst()
    assert ended(wire) == [(6, "fin")]


def test_a_rst_after_the_end_fires_nothing(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.close()
    talk.a.rst()
    assert ended(wire) == [(7, "fin")]


def test_ports_used_again_end_the_old_connection(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.renew(OTHER)
    talk.a.syn()
    talk.b.rst()
    assert ended(wire) == [(4, "reused"), (5, "rst_responder")]


def test_a_closed_connection_whose_ports_are_used_again_ended_as_it_closed(
    wire: Wire, talk: Talk
) -> None:
    talk.handshake()
    talk.a.fin()
    talk.b.fin()
    talk.renew(OTHER)
    talk.a.syn()
    assert ended(wire) == [(6, "fin"), (6, "end_of_input")]


def test_the_end_of_the_input(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    wire.talk(Endpoint("192.0.2.10", 50_000)).a.syn()
    fired: list[Fired] = track(wire.sent, "closed")
    assert [(each.packet, each.connection) for each in fired] == [(4, 1), (4, 2)]
    assert ended(wire) == [(4, "end_of_input"), (4, "end_of_input")]


@pytest.mark.parametrize(
    ("flags", "midstream"), [(SYN, False), (SYN | ACK, False), (ACK, True), (RST | SYN, True)]
)
def test_midstream_is_told(wire: Wire, talk: Talk, flags: int, midstream: bool) -> None:
    talk.a.sends(flags)
    totals = track(wire.sent, "closed")[0].totals
    assert totals is not None
    assert totals.midstream is midstream
