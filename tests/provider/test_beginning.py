"""Where a connection begins, and which end is its originator (SEMANTICS 5)."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.segments import ACK, FIN, PUSH, RST, SYN
from tests.provider.opening import OTHER, connections, opening
from tests.provider.talk import SERVER, Endpoint, Talk, Wire
from tests.provider.tracked import track


def test_another_isn_while_open(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.renew(OTHER)
    talk.handshake()
    assert connections(wire) == [1, 1, 1, 2, 2, 2]
    assert [name for name, _ in opening(wire)].count("accept-established") == 2


def test_another_isn_before_any_answer(wire: Wire, talk: Talk) -> None:
    talk.a.syn()
    talk.renew(OTHER)
    talk.a.syn()
    assert connections(wire) == [1, 2]
    assert opening(wire) == [("connect-request", 1), ("connect-request", 2)]


@pytest.mark.parametrize("close", ["fin", "rst a", "rst b"])
def test_any_syn_after_close(wire: Wire, talk: Talk, close: str) -> None:
    """The very same number, from either end."""
    talk.handshake()
    if close == "fin":
        talk.close()
    else:
        (talk.a if close == "rst a" else talk.b).rst()
    count = len(wire.sent)
    talk.renew((1_000, 5_000))
    talk.handshake()
    assert connections(wire) == [1] * count + [2, 2, 2]
    assert [packet for name, packet in opening(wire)[3:]] == [count + 1, count + 2, count + 3]


def test_both_fins_close_before_they_are_acknowledged(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.fin()
    talk.b.fin()
    talk.renew((1_000, 5_000))
    talk.a.syn()
    assert connections(wire)[-1] == 2


def test_one_fin_does_not_close(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.fin()
    talk.a.sends(SYN, sequence=1_000)
    assert set(connections(wire)) == {1}


def test_a_syn_of_the_other_end_after_close(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.close()
    talk.b.sends(SYN, sequence=5_000)
    assert connections(wire)[-1] == 2
    assert track(wire.sent, "connect-request")[-1].left == str(SERVER)


def test_a_syn_ack_with_another_isn(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.renew(OTHER)
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.ack()
    assert connections(wire) == [1, 1, 1, 2, 2]
    assert opening(wire)[3:] == [("accept-established", 5)]


def test_the_same_syn_ack_after_close_is_a_repeat(wire: Wire, talk: Talk) -> None:
    """The originator's RST was lost behind the capture point."""
    talk.a.syn()
    answer = talk.b.syn_ack()
    talk.a.rst()
    wire.again(answer, ip_id=2, after_us=1e6)
    assert set(connections(wire)) == {1}


@pytest.mark.parametrize("sequence", [5_000, 4_999, 123])
def test_a_syn_ack_after_close_of_an_end_that_sent_no_syn(
    wire: Wire, talk: Talk, sequence: int
) -> None:
    talk.b.push(10)
    talk.a.rst()
    talk.b.sends(SYN | ACK, sequence=sequence)
    assert connections(wire) == [1, 1, 2]


@pytest.mark.parametrize("flags", [SYN, SYN | ACK])
def test_a_syn_into_the_middle(wire: Wire, talk: Talk, flags: int) -> None:
    """Seen midstream; a SYN begins anew, unless it comes right before the lowest number seen."""
    talk.a.push(10)
    talk.b.push(10)
    talk.a.push(10)
    talk.a.sends(ACK, 10, sequence=980)  # captured late
    talk.a.sends(flags, sequence=979)
    assert set(connections(wire)) == {1}
    talk.a.sends(flags, sequence=999)
    assert connections(wire)[-1] == 2


def test_an_ack_counts_for_the_lowest_number(wire: Wire, talk: Talk) -> None:
    talk.a.push(10)
    talk.a.sends(ACK, sequence=800)
    talk.a.sends(SYN, sequence=799)
    assert set(connections(wire)) == {1}


@pytest.mark.parametrize("flags", [SYN, SYN | ACK])
def test_a_syn_of_an_end_that_said_nothing_midstream(wire: Wire, talk: Talk, flags: int) -> None:
    talk.a.push(10)
    talk.b.sends(flags)
    assert connections(wire) == [1, 2]


def test_a_reset_syn_begins_nothing(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.sends(SYN | RST, sequence=77)
    assert set(connections(wire)) == {1}
    assert [name for name, _ in opening(wire)].count("connect-request") == 1


def test_old_segments_after_close_belong_to_the_old_connection(wire: Wire, talk: Talk) -> None:
    talk.handshake()
    talk.a.rst()
    talk.b.push(10)
    talk.a.ack()
    assert set(connections(wire)) == {1}


# The originator


def originator(wire: Wire) -> str:
    """The address and port of the first connection's originator."""
    fired = track(wire.sent, "closed")[0]
    return fired.left if fired.end == "originator" else fired.right


HIGH, HIGHER = Endpoint("192.0.2.1", 40_000), Endpoint("192.0.2.2", 50_000)
LOW, LOWER = Endpoint("192.0.2.3", 1023), Endpoint("192.0.2.4", 22)
REGISTERED = Endpoint("192.0.2.5", 5432)  # a service of the tests' table
JUST_ABOVE = Endpoint("192.0.2.6", 1024)


@pytest.mark.parametrize(
    ("sender", "receiver", "expected"),
    [
        (HIGH, LOW, HIGH),
        (LOW, HIGH, HIGH),
        (HIGH, REGISTERED, HIGH),
        (REGISTERED, HIGH, HIGH),
        (HIGH, HIGHER, HIGH),
        (HIGHER, HIGH, HIGHER),
        (LOW, LOWER, LOW),
        (LOWER, LOW, LOWER),
        (LOW, REGISTERED, LOW),
        (REGISTERED, LOW, REGISTERED),
        (JUST_ABOVE, HIGH, JUST_ABOVE),
        (HIGH, JUST_ABOVE, HIGH),
        (JUST_ABOVE, LOW, JUST_ABOVE),
    ],
)
@pytest.mark.parametrize("flags", [ACK, ACK | PUSH, ACK | FIN, RST, 0])
def test_midstream_ports_tell_the_originator_else_who_spoke_first(
    wire: Wire, sender: Endpoint, receiver: Endpoint, expected: Endpoint, flags: int
) -> None:
    wire.talk(sender, receiver).a.sends(flags)
    assert originator(wire) == str(expected)


def test_the_sender_of_the_syn(wire: Wire) -> None:
    wire.talk(LOWER, HIGH).a.syn()
    assert originator(wire) == str(LOWER)


def test_the_receiver_of_the_syn_ack(wire: Wire) -> None:
    wire.talk(LOWER, HIGH).b.syn_ack()
    assert originator(wire) == str(LOWER)


@pytest.mark.parametrize("late", ["SYN", "SYN|ACK"])
def test_a_late_syn_or_syn_ack_tells_better_than_ports(wire: Wire, late: str) -> None:
    """LOWER connects from its service port to HIGH; the capture shows it in disorder."""
    talk = wire.talk(LOWER, HIGH)
    end = talk.a if late == "SYN" else talk.b
    end.sends(ACK | PUSH, 10, sequence=end.next + 1)
    end.sends(SYN if late == "SYN" else SYN | ACK, sequence=end.next - 11)
    assert set(connections(wire)) == {1}
    assert originator(wire) == str(LOWER)


def test_a_handshake_in_disorder_is_accepted(wire: Wire, talk: Talk) -> None:
    """Data of the responder overtook its SYN|ACK, and the SYN was not captured."""
    talk.b.sends(ACK | PUSH, 10, sequence=5_001)
    talk.b.sends(SYN | ACK, sequence=5_000, acknowledgment=1_001)
    talk.a.sends(ACK, sequence=1_001, acknowledgment=5_011)
    assert set(connections(wire)) == {1}
    assert opening(wire) == [("accept-established", 3)]
