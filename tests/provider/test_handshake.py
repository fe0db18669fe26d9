"""How connections are opened, accepted and refused: the probes of SEMANTICS 6."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tcpsnoop.batches.segments import ACK, FIN, PUSH, RST, SYN
from tests.provider.opening import OPENING, connections, opening
from tests.provider.talk import CLIENT, SERVER, Sent, Talk, Wire
from tests.provider.tracked import track


def test_a_handshake(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.push(10)
    talk.b.push(10)
    assert opening(wire) == [
        ("connect-request", 1),
        ("connect-established", 2),
        ("accept-established", 3),
    ]


def test_ends_and_addresses(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    fired = {each.probe: each for each in track(wire.sent, *OPENING)}
    assert (fired["connect-established"].left, fired["connect-established"].right) == (
        str(CLIENT),
        str(SERVER),
    )
    assert (fired["accept-established"].left, fired["accept-established"].right) == (
        str(SERVER),
        str(CLIENT),
    )
    assert [fired[name].direction for name in fired] == ["->", "<-", "<-"]


def test_repeats_of_syn_and_syn_ack_add_nothing(wire: Wire, talk: Talk) -> None:
    syn = talk.a.syn()
    wire.again(syn, ip_id=2, after_us=1e6)
    answer = talk.b.syn_ack()
    wire.again(answer, ip_id=2, after_us=1e6)
    talk.a.ack()
    wire.again(answer, ip_id=3, after_us=1e6)
    talk.a.ack()
    assert opening(wire) == [
        ("connect-request", 1),
        ("connect-established", 3),
        ("accept-established", 5),
    ]
    assert set(connections(wire)) == {1}


@pytest.mark.parametrize(
    ("flags", "payload"),
    [(ACK, 0), (ACK, 1), (ACK | PUSH, 500), (ACK | FIN, 0), (ACK | FIN | PUSH, 9), (0x3F0, 0)],
)
def test_the_first_ack_of_the_originator_may_carry_anything(
    wire: Wire, talk: Talk, flags: int, payload: int
) -> None:
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.sends(flags, payload)
    talk.a.ack()
    assert opening(wire)[2:] == [("accept-established", 3)]


def test_a_later_ack_will_do(wire: Wire, talk: Talk) -> None:
    """The handshake's ACK was not captured."""
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.ack(seen=False)
    talk.a.push(10, seen=False)
    talk.b.push(10)
    talk.a.ack()
    assert opening(wire)[2:] == [("accept-established", 4)]


def test_without_the_syn_there_is_an_accept_but_no_connect(wire: Wire, talk: Talk) -> None:
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.ack()
    assert opening(wire) == [("accept-established", 2)]


def test_without_the_syn_ack_nothing_is_established(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack(seen=False)
    talk.a.ack()
    talk.a.push(10)
    talk.b.push(10)
    talk.a.ack()
    assert opening(wire) == [("connect-request", 1)]


def test_a_syn_ack_captured_late_is_still_a_syn_ack(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    wire.overtake()
    talk.a.push(10)
    assert opening(wire) == [
        ("connect-request", 1),
        ("connect-established", 3),
        ("accept-established", 4),
    ]


def test_the_ack_of_the_responder_accepts_nothing(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack()
    talk.b.ack()
    talk.b.push(10)
    assert opening(wire) == [("connect-request", 1), ("connect-established", 2)]


def test_an_ack_must_acknowledge_the_syn_ack(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.ack(5_000)  # its number, not what comes after it
    assert opening(wire)[2:] == []
    talk.a.ack(5_001)
    assert opening(wire)[2:] == [("accept-established", 4)]


def test_a_syn_ack_must_acknowledge_the_syn(wire: Wire, talk: Talk) -> None:
    """An answer to an older SYN; the originator resets it (RFC 9293 section 3.5, figure 10)."""
    talk.a.syn()
    talk.b.syn_ack(acknowledgment=1_000)
    assert opening(wire) == [("connect-request", 1)]
    talk.b.sends(SYN | ACK, sequence=5_000, acknowledgment=1_001)
    assert opening(wire) == [("connect-request", 1), ("connect-established", 3)]


def test_rst_before_the_ack(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.rst()
    talk.a.ack()
    assert opening(wire) == [("connect-request", 1), ("connect-established", 2)]


def test_a_rst_that_acknowledges_is_no_accept(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.b.syn_ack()
    talk.a.sends(RST | ACK)
    assert opening(wire)[2:] == []


def test_fast_open(wire: Wire, talk: Talk) -> None:
    """Data on the SYN, acknowledged or not, does not accept earlier."""
    talk.a.syn(100)
    talk.b.syn_ack()
    talk.b.push(10)
    talk.a.ack()
    assert opening(wire)[1:] == [("connect-established", 2), ("accept-established", 4)]


def test_fast_open_whose_data_was_not_taken(wire: Wire, talk: Talk) -> None:
    talk.a.syn(100)
    talk.b.syn_ack(acknowledgment=1_001)
    talk.a.push(100, sequence=1_001)
    assert opening(wire)[1:] == [("connect-established", 2), ("accept-established", 3)]


@pytest.mark.parametrize("isn", [(2**32 - 1, 2**32 - 1), (2**31 - 1, 2**31), (0, 0)])
def test_numbers_that_wrap(wire: Wire, isn: tuple[int, int]) -> None:
    talk = wire.talk(isn=isn)
    talk.handshake()
    talk.a.push(10)
    assert [name for name, _ in opening(wire)] == [
        "connect-request",
        "connect-established",
        "accept-established",
    ]
    assert set(connections(wire)) == {1}


# Simultaneous open


def test_simultaneous_open_is_one_connection(wire: Wire, talk: Talk) -> None:
    """RFC 9293 section 3.5, figure 7, as both ends capture it."""
    talk.a.syn()
    talk.b.syn()
    talk.a.sends(SYN | ACK, sequence=1_000)
    talk.b.sends(SYN | ACK, sequence=5_000)
    talk.b.ack()  # of the originator's SYN|ACK, which accepts nothing
    talk.a.push(10)
    talk.b.push(10)
    assert set(connections(wire)) == {1}
    assert opening(wire) == [
        ("connect-request", 1),
        ("connect-established", 4),
        ("accept-established", 6),
    ]
    assert track(wire.sent, "connect-request")[0].left == str(CLIENT)


def test_simultaneous_open_completed_by_plain_acks(wire: Wire, talk: Talk) -> None:
    """Established for the originator when its SYN is acknowledged; no SYN|ACK, so no accept."""
    talk.a.syn()
    talk.b.syn()
    talk.a.ack()
    talk.b.ack()
    talk.a.push(10)
    assert set(connections(wire)) == {1}
    assert opening(wire) == [("connect-request", 1), ("connect-established", 4)]


# Refused


@pytest.mark.parametrize("flags", [RST | ACK, RST])
def test_refused(wire: Wire, talk: Talk, flags: int) -> None:
    talk.a.syn()
    talk.b.sends(flags)
    assert opening(wire) == [("connect-request", 1), ("connect-refused", 2), ("accept-refused", 2)]


def test_refused_with_data_on_the_syn(wire: Wire, talk: Talk) -> None:
    talk.a.syn(100)
    talk.b.rst(acknowledgment=1_101)
    assert opening(wire)[1:] == [("connect-refused", 2), ("accept-refused", 2)]


def test_refused_after_repeats_once(wire: Wire, talk: Talk) -> None:
    syn = talk.a.syn()
    wire.again(syn, ip_id=2, after_us=1e6)
    talk.b.rst()
    talk.b.rst()
    assert opening(wire)[1:] == [("connect-refused", 3), ("accept-refused", 3)]


@pytest.mark.parametrize(
    "play",
    [
        lambda talk: (talk.a.syn(), talk.b.syn_ack(), talk.b.rst()),
        lambda talk: (talk.a.syn(), talk.a.rst()),
        lambda talk: (talk.a.syn(), talk.b.rst(acknowledgment=1_000)),
        lambda talk: (talk.b.syn_ack(), talk.b.rst()),
        lambda talk: (talk.b.syn_ack(), talk.a.rst()),
        lambda talk: (talk.a.syn(), talk.b.ack(), talk.b.rst()),
        lambda talk: (talk.a.push(10), talk.b.rst()),
        lambda talk: (talk.handshake(), talk.b.rst()),
        lambda talk: (talk.b.rst(),),
    ],
    ids=[
        "after a SYN|ACK",
        "by the originator",
        "of something older",
        "without a SYN",
        "of a SYN|ACK",
        "after another answer",
        "midstream",
        "of an open connection",
        "out of nothing",
    ],
)
def test_what_is_not_refused(
    wire: Wire, talk: Talk, play: Callable[[Talk], Sequence[Sent | None]]
) -> None:
    play(talk)
    assert [name for name, _ in opening(wire) if name.endswith("refused")] == []
