"""Zeek's 13 words for how a connection went, each from packets (SEMANTICS 11, conn.log)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpsnoop.batches.probes import CONN_STATES
from tests.provider.talk import Talk, Wire
from tests.provider.tracked import track


def _attempt(talk: Talk) -> None:
    talk.a.syn()


def _open(talk: Talk) -> None:
    talk.handshake()
    talk.a.push(10)
    talk.b.ack()


def _answered(talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack()


def _finished(talk: Talk) -> None:
    talk.handshake()
    talk.close()


def _reset_after_both_fins(talk: Talk) -> None:
    _finished(talk)
    talk.b.rst()


def _rejected(talk: Talk) -> None:
    talk.a.syn()
    talk.b.rst()


def _originator_finished(talk: Talk) -> None:
    talk.handshake()
    talk.a.fin()
    talk.b.push(10)


def _responder_finished(talk: Talk) -> None:
    talk.handshake()
    talk.b.fin()
    talk.a.push(10)


def _originator_aborted(talk: Talk) -> None:
    _open(talk)
    talk.a.rst()


def _responder_aborted(talk: Talk) -> None:
    _open(talk)
    talk.b.rst()


def _originator_aborted_after_the_other_fin(talk: Talk) -> None:
    _responder_finished(talk)
    talk.a.rst()


def _attempt_aborted(talk: Talk) -> None:
    talk.a.syn()
    talk.a.rst()


def _answer_aborted(talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.b.rst()


def _attempt_finished(talk: Talk) -> None:
    talk.a.syn()
    talk.a.fin()


def _answer_finished(talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.b.fin()


def _midstream(talk: Talk) -> None:
    talk.a.push(10)
    talk.b.push(10)


def _midstream_finished(talk: Talk) -> None:
    _midstream(talk)
    talk.close()


def _midstream_reset(talk: Talk) -> None:
    _midstream(talk)
    talk.b.rst()


def _without_the_syn(talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.ack()


PLAYS: list[tuple[str, Callable[[Talk], None], str]] = [
    ("S0", _attempt, "end_of_input"),
    ("S1", _open, "end_of_input"),
    ("S1", _answered, "end_of_input"),
    ("SF", _finished, "fin"),
    ("SF", _reset_after_both_fins, "fin"),
    ("REJ", _rejected, "rst_responder"),
    ("S2", _originator_finished, "end_of_input"),
    ("S3", _responder_finished, "end_of_input"),
    ("RSTO", _originator_aborted, "rst_originator"),
    ("RSTO", _originator_aborted_after_the_other_fin, "rst_originator"),
    ("RSTR", _responder_aborted, "rst_responder"),
    ("RSTOS0", _attempt_aborted, "rst_originator"),
    ("RSTRH", _answer_aborted, "rst_responder"),
    ("SH", _attempt_finished, "end_of_input"),
    ("SHR", _answer_finished, "end_of_input"),
    ("OTH", _midstream, "end_of_input"),
    ("OTH", _midstream_finished, "fin"),
    ("OTH", _midstream_reset, "rst_responder"),
    ("OTH", _without_the_syn, "end_of_input"),
]


@pytest.mark.parametrize(("conn_state", "play", "reason"), PLAYS)
def test_conn_state(
    wire: Wire, talk: Talk, conn_state: str, play: Callable[[Talk], None], reason: str
) -> None:
    play(talk)
    (row,) = track(wire.sent, "closed")
    assert row.added["conn_state"] == conn_state
    assert row.added["end_reason"] == reason


def test_each_of_the_thirteen_is_played() -> None:
    assert {conn_state for conn_state, _, _ in PLAYS} == set(CONN_STATES)


def test_the_last_segment_is_told(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    last = talk.a.push(10, after_us=3_000_000)
    wire.talk(talk.a.endpoint._replace(port=50_000)).a.data(1, after_us=5_000_000)
    row = track(wire.sent, "closed")[0]
    assert row.added["last_ns"] == last.time_ns


def test_what_no_segment_ended_has_no_ttl(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.renew((70_000, 90_000))
    talk.a.syn()
    assert [row.added["ttl"] for row in track(wire.sent, "closed")] == [0, 0]


def test_the_ttl_of_the_rst_that_ended_it(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.b.rst(ttl=200)
    (row,) = track(wire.sent, "closed")
    assert row.added["ttl"] == 200
