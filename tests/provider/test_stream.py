"""Bytes that are new, repeated or probes (SEMANTICS 7)."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.segments import ACK, FIN, RST, SYN
from tests.provider.carried import sent_by, writes
from tests.provider.talk import Talk, Wire
from tests.provider.tracked import track

SECOND_US = 1_000_000


def test_all_in_order_is_unique(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.push(250)
    connected.a.data(50)
    connected.b.ack()
    assert sent_by(wire, "a") == (2, 150, 0, 0)
    assert sent_by(wire, "b") == (2, 250, 0, 0)


@pytest.mark.parametrize(
    ("start", "size", "overlap"),
    [
        (0, 300, 300),  # all of it again
        (0, 100, 100),  # its beginning
        (100, 100, 100),  # its middle
        (200, 100, 100),  # its end
        (250, 100, 50),  # its end and new bytes
        (0, 400, 300),  # all of it and new bytes
        (300, 100, 0),  # the next bytes
        (400, 100, 0),  # beyond a hole
    ],
)
@pytest.mark.parametrize("acknowledged", [False, True])
def test_overlaps_in_order(
    wire: Wire, connected: Talk, start: int, size: int, overlap: int, acknowledged: bool
) -> None:
    connected.a.data(300)
    if acknowledged:
        connected.b.ack()
    connected.a.data(size, sequence=1_001 + start)
    assert sent_by(wire, "a") == (2, 300 + size - overlap, overlap, 0)


@pytest.mark.parametrize(
    ("start", "size", "overlap"),
    [
        (100, 100, 100),  # a run that waits, again
        (120, 30, 30),  # within it
        (50, 100, 50),  # across its beginning
        (150, 100, 50),  # across its end
        (50, 200, 100),  # around it
        (150, 200, 100),  # from one run into another
        (90, 330, 200),  # around both
        (210, 80, 0),  # between them
        (0, 420, 200),  # the hole and everything
        (0, 100, 0),  # the hole
        (0, 50, 0),  # part of the hole
        (0, 150, 50),  # the hole and part of the first run
    ],
)
def test_overlaps_with_runs_that_wait(
    wire: Wire, connected: Talk, start: int, size: int, overlap: int
) -> None:
    connected.a.data(100, sequence=1_001 + 100)
    connected.a.data(100, sequence=1_001 + 300)
    connected.a.data(size, sequence=1_001 + start)
    assert sent_by(wire, "a") == (3, 200 + size - overlap, overlap, 0)
    # Whatever is missing comes, and all of it once more.
    connected.a.data(500, sequence=1_001)
    connected.a.data(500, sequence=1_001)
    assert sent_by(wire, "a")[1] == 500


def test_a_hole_that_is_filled_late_is_no_retransmission(wire: Wire, connected: Talk) -> None:
    """Acknowledged although not captured; it comes again, and then once more."""
    connected.a.data(100, seen=False)
    connected.a.data(100)
    connected.b.ack()
    assert sent_by(wire, "a") == (1, 100, 0, 0)
    connected.a.data(100, sequence=1_001)
    assert sent_by(wire, "a") == (2, 200, 0, 0)
    connected.a.data(100, sequence=1_001)
    assert sent_by(wire, "a") == (3, 200, 100, 0)


def test_parts_of_a_hole_filled_late(wire: Wire, connected: Talk) -> None:
    connected.a.data(100, seen=False)
    connected.a.data(100)
    connected.b.ack()
    for at, size in ((40, 20), (30, 20), (0, 10), (90, 20), (0, 100)):
        connected.a.data(size, sequence=1_001 + at)
    # 40-60 new, 30-40 new, 0-10 new, 90-100 new and 10 seen, then 50 seen of the whole.
    assert sent_by(wire, "a") == (6, 200, 10 + 10 + 50, 0)


def test_syn_and_fin_repeats_repeat_no_bytes(wire: Wire, connected: Talk) -> None:
    connected.a.push(10)
    connected.a.fin(20)
    for number in range(3):
        wire.again(ip_id=90 + number)
    assert sent_by(wire, "a") == (5, 30, 60, 0)
    connected.a.sends(SYN, sequence=1_000)
    connected.a.sends(ACK | FIN, sequence=1_031)
    assert sent_by(wire, "a") == (7, 30, 60, 0)


def test_data_on_the_syn(wire: Wire) -> None:
    talk = wire.talk()
    syn = talk.a.syn(100)
    wire.again(syn, ip_id=9, after_us=SECOND_US)
    talk.b.syn_ack()
    talk.a.data(50)
    assert sent_by(wire, "a") == (1, 150, 100, 0)


def test_data_on_the_syn_that_was_not_taken_comes_again(wire: Wire) -> None:
    talk = wire.talk()
    talk.a.syn(100)
    talk.b.syn_ack(acknowledgment=1_001)
    talk.a.data(100, sequence=1_001)
    assert sent_by(wire, "a") == (0, 100, 100, 0)


def test_midstream_bytes_before_the_first_ones_seen_are_new(wire: Wire) -> None:
    talk = wire.talk(isn=(10_000, 5_000))
    talk.a.data(100)
    talk.a.data(100, sequence=9_800)  # two segments earlier
    talk.a.data(100, sequence=9_900)
    talk.a.data(300, sequence=9_800)
    assert sent_by(wire, "a")[1:] == (300, 300, 0)


def test_an_ack_from_before_is_no_byte(wire: Wire) -> None:
    talk = wire.talk(isn=(10_000, 5_000))
    talk.a.data(100)
    talk.a.ack(sequence=9_000)
    talk.a.data(1_000, sequence=9_000)
    assert sent_by(wire, "a")[1:] == (1_100, 0, 0)


def test_bytes_behind_a_syn_ack_whose_syn_was_missed(wire: Wire) -> None:
    """The second segment is captured first: both are new."""
    talk = wire.talk()
    talk.a.syn(seen=False)
    talk.b.syn_ack()
    talk.a.data(100)
    talk.a.data(100)
    wire.overtake()
    assert sent_by(wire, "a")[1:] == (200, 0, 0)
    assert writes(wire) == []
    talk.a.push(1)
    assert writes(wire) == [("a", 201)]


@pytest.mark.parametrize("syn_seen", [False, True])
def test_a_segment_of_unknown_length_begins_anew(wire: Wire, syn_seen: bool) -> None:
    connected = wire.talk()
    connected.a.syn(seen=syn_seen)
    connected.b.syn_ack()
    connected.a.data(100, seen=syn_seen)
    connected.a.sends(ACK, None)
    connected.a.push(50, sequence=9_000)
    connected.a.push(50, sequence=9_000)
    connected.a.push(70, sequence=9_050)
    assert sent_by(wire, "a")[1:] == (220 if syn_seen else 120, 50, 0)
    assert writes(wire) == [("a", 70)]  # the first PUSH ends one that nobody knows all of


def test_nothing_is_acknowledged_after_a_segment_of_unknown_length(
    wire: Wire, connected: Talk
) -> None:
    """A byte that looks like a keep-alive is a retransmission."""
    connected.a.push(100)
    connected.b.ack()
    connected.a.sends(ACK, None)
    connected.a.data(50, sequence=500)
    connected.a.sends(ACK, 1, sequence=549)
    assert sent_by(wire, "a") == (4, 150, 1, 0)


def test_what_came_before_a_segment_of_unknown_length_is_forgotten(wire: Wire) -> None:
    """Midstream, below number 0 and above it; then everything below may be new again."""
    talk = wire.talk(isn=(10, 5_000))
    talk.a.data(20, sequence=10)
    talk.a.data(20, sequence=-10)
    talk.a.sends(ACK, None)
    talk.a.data(50, sequence=10_000)
    talk.a.data(50, sequence=9_000)
    assert sent_by(wire, "a")[1:] == (140, 0, 0)


def test_a_reset_carries_no_data_of_the_stream(wire: Wire, connected: Talk) -> None:
    """RFC 9293 section 3.10.7.4: what is in a RST explains it."""
    connected.a.data(100)
    connected.a.sends(RST, 20, sequence=1_101)
    connected.a.push(10, sequence=1_101)
    assert [each.bytes for each in track(wire.sent, "receive")][-2:] == [20, 10]
    assert writes(wire) == [("a", 110)]


# Keep-alives


@pytest.mark.parametrize("payload", [0, 1])
def test_a_keep_alive_is_a_probe(wire: Wire, connected: Talk, payload: int) -> None:
    connected.a.push(100)
    connected.b.ack()
    connected.a.sends(ACK, payload, sequence=connected.a.next - 1)
    connected.a.sends(ACK, payload, sequence=connected.a.next - 1)
    assert sent_by(wire, "a") == (3, 100, 0, 2 * payload)
    connected.b.ack()
    connected.a.push(1)
    assert sent_by(wire, "a") == (4, 101, 0, 2 * payload)
    assert writes(wire) == [("a", 100), ("a", 1)]


def test_a_byte_not_yet_acknowledged_is_a_retransmission(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.ack(1_100)
    connected.a.sends(ACK, 1, sequence=1_100)
    assert sent_by(wire, "a") == (2, 100, 1, 0)


def test_an_old_acknowledgment_takes_nothing_back(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.ack()
    connected.b.ack(1_050)
    connected.a.sends(ACK, 1, sequence=1_100)
    assert sent_by(wire, "a") == (2, 100, 0, 1)


def test_two_bytes_are_no_keep_alive(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.ack()
    connected.a.sends(ACK, 2, sequence=1_099)
    assert sent_by(wire, "a") == (2, 100, 2, 0)


def test_a_byte_further_back_is_no_keep_alive(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.ack()
    connected.a.sends(ACK, 1, sequence=1_099)
    assert sent_by(wire, "a") == (2, 100, 1, 0)


def test_a_fin_of_one_byte_is_no_keep_alive(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.ack()
    connected.a.sends(ACK | FIN, 1, sequence=1_100)
    assert sent_by(wire, "a") == (2, 100, 1, 0)


def test_a_keep_alive_right_after_the_handshake(wire: Wire, connected: Talk) -> None:
    """Its byte has the number of the SYN."""
    connected.b.sends(ACK, 1, sequence=5_000)
    assert sent_by(wire, "b") == (1, 0, 0, 1)


# Zero-window probes


def closed_window(talk: Talk) -> None:
    talk.b.push(100)
    talk.a.window = 0
    talk.a.ack()


def test_a_window_probe_whose_byte_was_not_taken(wire: Wire, connected: Talk) -> None:
    closed_window(connected)
    for _ in range(3):
        connected.b.sends(ACK, 1, sequence=5_101)
        connected.a.ack(5_101)
    connected.a.window = 1_000
    connected.a.ack(5_101)
    connected.b.push(300, sequence=5_101)
    connected.a.ack()
    assert sent_by(wire, "b") == (5, 400, 0, 3)
    assert writes(wire) == [("b", 100), ("b", 300)]


def test_a_window_probe_whose_byte_was_taken_is_data(wire: Wire, connected: Talk) -> None:
    closed_window(connected)
    connected.b.sends(ACK, 1)
    connected.a.ack(5_101)
    connected.b.sends(ACK, 1, sequence=5_101)
    connected.a.window = 1_000
    connected.a.ack(5_102)
    connected.b.push(299)
    assert sent_by(wire, "b") == (4, 400, 0, 1)
    assert writes(wire) == [("b", 100), ("b", 300)]


def test_a_window_probe_that_was_taken_releases_what_waits_behind_it(
    wire: Wire, connected: Talk
) -> None:
    closed_window(connected)
    connected.b.sends(ACK, 1)
    connected.b.push(10)
    assert writes(wire) == [("b", 100)]
    connected.a.ack(5_102)
    assert writes(wire) == [("b", 100), ("b", 11)]
    assert sent_by(wire, "b") == (3, 111, 0, 0)


def test_a_window_probe_is_forgotten_behind_a_segment_of_unknown_length(
    wire: Wire, connected: Talk
) -> None:
    closed_window(connected)
    connected.b.sends(ACK, 1)
    connected.b.sends(ACK, None)
    connected.b.ack(sequence=6_000)
    connected.a.ack(6_015)
    assert sent_by(wire, "b") == (4, 100, 0, 1)


def test_a_window_probe_stays_one_whatever_is_repeated_between(wire: Wire, connected: Talk) -> None:
    closed_window(connected)
    connected.b.sends(ACK, 1)
    connected.b.push(100, sequence=5_001)
    connected.a.ack(5_102)
    assert sent_by(wire, "b") == (3, 101, 100, 0)


def test_a_probe_that_data_replaced_is_counted_once(wire: Wire, connected: Talk) -> None:
    """What is acknowledged later is that data, and a hole behind it."""
    closed_window(connected)
    connected.b.sends(ACK, 1, sequence=5_101)
    connected.b.data(50, sequence=5_111)
    connected.b.data(10, sequence=5_101)
    connected.b.data(10, seen=False)
    connected.a.ack()
    assert sent_by(wire, "b") == (4, 160, 0, 1)


@pytest.mark.parametrize(("window", "size", "ahead"), [(1, 1, 0), (0, 2, 0), (0, 1, 1), (0, 1, -1)])
def test_what_is_no_window_probe(
    wire: Wire, connected: Talk, window: int, size: int, ahead: int
) -> None:
    connected.b.push(100)
    connected.a.window = window
    connected.a.ack(5_100)
    connected.b.sends(ACK, size, sequence=5_101 + ahead)
    overlap = 1 if ahead < 0 else 0
    assert sent_by(wire, "b") == (2, 100 + size - overlap, overlap, 0)


def test_a_new_connection_of_the_same_ports_knows_nothing_of_the_old_one(
    wire: Wire, connected: Talk
) -> None:
    """No acknowledgment, no window, no bytes: the numbers are lower, the last byte comes again."""
    connected.a.push(100)
    connected.b.window = 0
    connected.b.ack()
    connected.a.data(10, sequence=1_201)
    connected.renew((100, 200))
    connected.b.window = 1_000
    connected.handshake()
    connected.a.data(50)
    connected.a.sends(ACK, 1, sequence=150)
    assert sent_by(wire, "a") == (2, 50, 1, 0)
