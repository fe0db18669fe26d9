"""Which ends are local, and the window in which it is decided (SEMANTICS 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.segments import SIDE_INBOUND, SIDE_LOOPBACK, SIDE_OUTBOUND, SIDE_UNKNOWN
from tcpsnoop.errors import UsageError
from tcpsnoop.provider.sides import Window, parse_prefix
from tests.provider.talk import CLIENT, SERVER, Endpoint, Sent, Wire, rows
from tests.provider.tracked import Fired, feed, finish, make_tracker, told, track

WINDOW_SEGMENTS, WINDOW_SECONDS = 4096, 0.5  # SEMANTICS 4

A, B, C, D = (Endpoint(f"203.0.113.{number}", 5_000) for number in range(1, 5))


def seen_from(fired: Sequence[Fired]) -> list[tuple[str, str]]:
    """What each `send` and `receive` is, and the address at its left."""
    shown = [each for each in fired if each.probe in ("send", "receive")]
    return [(each.probe, each.left.split()[0]) for each in shown]


def segment(source: Endpoint, destination: Endpoint, side: int = SIDE_UNKNOWN) -> Sent:
    """One segment between two ends that are seen once."""
    wire = Wire()
    return wire.talk(source, destination, side=side).a.ack()


def sides_of(*sent: Sent, **how: Any) -> list[tuple[str, str]]:
    return seen_from(track(sent, "send", "receive", **how))


def rules_of(*sent: Sent, local: Sequence[str] = ()) -> list[int]:
    tracker = make_tracker(local=local)
    feed(tracker, sent)
    finish(tracker)
    return tracker.rules


# Rule 0


@pytest.mark.parametrize(
    ("source", "destination", "side"),
    [
        ("203.0.113.1", "203.0.113.1", SIDE_UNKNOWN),
        ("2001:db8::1", "2001:db8::1", SIDE_INBOUND),
        ("127.0.0.1", "127.0.0.1", SIDE_UNKNOWN),
        ("127.0.0.1", "127.255.3.4", SIDE_OUTBOUND),
        ("::1", "::1", SIDE_UNKNOWN),
        ("127.0.0.1", "::1", SIDE_UNKNOWN),
        ("203.0.113.1", "198.51.100.1", SIDE_LOOPBACK),
    ],
)
def test_rule_0_both_ends_are_local(source: str, destination: str, side: int) -> None:
    sent = segment(Endpoint(source, 5), Endpoint(destination, 6), side)
    assert sides_of(sent) == [("send", source), ("receive", destination)]
    assert rules_of(sent, local=["203.0.113.1"]) == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("127.0.0.1", "203.0.113.1"),
        ("128.0.0.1", "127.0.0.1"),
        ("126.255.255.255", "127.0.0.1"),
        ("::1", "::2"),
        ("::127.0.0.1", "127.0.0.1"),
        ("1::ffff:7f00:1", "127.0.0.1"),
        ("1::1", "::1"),
    ],
)
def test_one_loopback_address_is_not_enough_for_rule_0(source: str, destination: str) -> None:
    assert rules_of(segment(Endpoint(source, 5), Endpoint(destination, 6)))[0] == 0


# Rules 1 and 2


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        (["203.0.113.1"], [("send", "203.0.113.1")]),
        (["203.0.113.2"], [("receive", "203.0.113.2")]),
        (["203.0.113.0/31"], [("send", "203.0.113.1")]),
        (["203.0.113.9/24"], [("send", "203.0.113.1"), ("receive", "203.0.113.2")]),
        (["203.0.113.1", "203.0.113.2"], [("send", "203.0.113.1"), ("receive", "203.0.113.2")]),
        (["::ffff:203.0.113.1"], [("send", "203.0.113.1")]),
        (["0.0.0.0/0"], [("send", "203.0.113.1"), ("receive", "203.0.113.2")]),
        (["203.0.113.3", "2001:db8::/32"], [("send", "203.0.113.1")]),  # rule 5: B answers port 80
    ],
)
def test_rule_1_addresses_given(local: list[str], expected: list[tuple[str, str]]) -> None:
    sent = segment(A._replace(port=80), B)
    assert sides_of(sent, local=local) == expected


@pytest.mark.parametrize(
    ("prefix", "address", "inside"),
    [
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("2001:db8::/63", "2001:db8:0:1::1", True),
        ("2001:db8::/64", "2001:db8::ffff:0:0:1", True),
        ("2001:db8::/64", "2001:db8:0:1::1", False),
        ("2001:db8::/65", "2001:db8::7fff:0:0:1", True),
        ("2001:db8::/65", "2001:db8:0:0:8000::1", False),
        ("fe80::1", "fe80::1", True),
        ("fe80::1", "fe80::2", False),
        ("8000::/1", "ffff::1", True),
        ("::/0", "203.0.113.7", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("128.0.0.0/1", "127.255.255.255", False),
    ],
)
def test_prefixes_cover_what_they_say(prefix: str, address: str, inside: bool) -> None:
    high, low, high_mask, low_mask = parse_prefix(prefix)
    its_high, its_low = halves(address)
    assert (its_high & high_mask == high and its_low & low_mask == low) is inside


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "2001::/129", "host", "10.0.0.1/a", "1.2.3"])
def test_a_wrong_prefix_is_a_usage_error_that_names_it(text: str) -> None:
    with pytest.raises(UsageError, match="--local"):
        Window(given=(text,))


def test_rule_2_addresses_of_the_interfaces() -> None:
    sent = segment(A, B)
    assert sides_of(sent, known=[halves(B.address)]) == [("receive", B.address)]
    assert sides_of(sent, known=map(halves, (A.address, B.address))) == [
        ("send", A.address),
        ("receive", B.address),
    ]


def test_rule_1_comes_before_rule_2() -> None:
    tracker = make_tracker(local=[A.address], known=[halves(B.address)])
    assert seen_from(feed(tracker, [segment(A, B)])) == [("send", A.address)]
    assert tracker.rules == [0, 1, 0, 0, 0, 0]


def test_addresses_that_change_count_for_later_connections_alone() -> None:
    tracker = make_tracker(known=[halves(A.address)])
    first = segment(A, B)
    assert seen_from(feed(tracker, [first])) == [("send", A.address)]
    tracker.window.know([halves(B.address)])
    later = segment(B, A._replace(port=9))
    assert seen_from(feed(tracker, [first, later])) == [
        ("send", A.address),
        ("send", B.address),
    ]
    assert tracker.rules[2] == 2


# Rule 3


def test_rule_3_directions_of_packets() -> None:
    sent = (segment(A, C, SIDE_OUTBOUND), segment(D, B, SIDE_INBOUND))
    assert sides_of(*sent) == [("send", A.address), ("receive", B.address)]
    assert rules_of(*sent) == [0, 0, 0, 2, 0, 0]


def test_rule_3_one_end_named_is_enough_where_the_packet_itself_says_nothing() -> None:
    sent = (segment(A, C, SIDE_OUTBOUND), segment(D, A, SIDE_UNKNOWN))
    assert sides_of(*sent) == [("send", A.address), ("receive", A.address)]


def test_rule_3_an_address_on_both_sides_of_a_bridge_is_not_local() -> None:
    """In at one port, out at the other: neither end is here."""
    wire = Wire()
    talk = wire.talk(A, B, side=SIDE_INBOUND)
    talk.a.syn()
    wire.again(after_us=10, side=SIDE_OUTBOUND, path=1)
    talk.b.syn_ack(side=SIDE_INBOUND)
    wire.again(after_us=10, side=SIDE_OUTBOUND, path=1)
    assert rules_of(*wire.sent) == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    "against",
    [segment(B, A, SIDE_OUTBOUND), segment(A, B, SIDE_INBOUND)],
    ids=["destination of out", "source of in"],
)
def test_rule_3_what_speaks_against_an_address(against: Sent) -> None:
    sent = (segment(A, C, SIDE_OUTBOUND), segment(D, CLIENT))
    assert rules_of(*sent) == [0, 0, 0, 1, 0, 1]
    assert rules_of(*sent, against) == [0, 0, 0, 1, 0, 2]  # B alone is known to be local


def test_rule_3_leaves_loopback_packets_out() -> None:
    """The loopback device shows a packet out and in, between an address of the host and itself."""
    sent = (
        segment(A, A._replace(port=7), SIDE_OUTBOUND),
        segment(A, A._replace(port=7), SIDE_INBOUND),
        segment(A, C, SIDE_OUTBOUND),
        segment(B, D),
    )
    assert rules_of(*sent) == [1, 0, 0, 1, 0, 1]


# Rules 4 and 5


def test_rule_4_the_one_address_of_all_segments() -> None:
    sent = (segment(A, B), segment(C, A), segment(A._replace(port=9), D))
    assert sides_of(*sent) == [("send", A.address), ("receive", A.address), ("send", A.address)]
    assert rules_of(*sent) == [0, 0, 0, 0, 3, 0]


def test_rule_4_needs_exactly_one() -> None:
    assert rules_of(segment(A, B), segment(B, A)) == [0, 0, 0, 0, 0, 1]
    assert rules_of(segment(A, B), segment(C, D)) == [0, 0, 0, 0, 0, 2]


def test_rule_4_does_not_ask_loopback_packets() -> None:
    loopback = segment(Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
    assert rules_of(loopback, segment(A, B), segment(A, C)) == [1, 0, 0, 0, 2, 0]


def test_rule_3_comes_before_rule_4() -> None:
    sent = (segment(A, B, SIDE_INBOUND), segment(A, C))
    assert rules_of(*sent) == [0, 0, 0, 1, 1, 0]
    assert sides_of(*sent) == [("receive", B.address), ("send", A.address)]


def test_rule_5_the_responder_stands_at_the_left() -> None:
    wire = Wire()
    wire.talk().handshake()
    fired = track(wire.sent, "send", "receive")
    assert seen_from(fired) == [
        ("receive", SERVER.address),
        ("send", SERVER.address),
        ("receive", SERVER.address),
    ]
    assert not any(each.remote_local for each in fired)


# The side of a connection


def test_a_side_never_changes() -> None:
    """The first segment says loopback, the next ones do not."""
    wire = Wire()
    talk = wire.talk(side=SIDE_LOOPBACK)
    talk.a.syn()
    talk.b.syn_ack(side=SIDE_UNKNOWN)
    talk.a.ack(side=SIDE_INBOUND)
    assert [each for each, _ in sides_of(*wire.sent)] == ["send", "receive"] * 3


def test_a_connection_decided_within_the_window_keeps_its_side_after_it() -> None:
    wire = Wire()
    talk = wire.talk(A, B, side=SIDE_OUTBOUND)
    talk.a.syn()
    tracker = make_tracker()
    feed(tracker, wire.sent)
    later = [segment(A, B, SIDE_INBOUND)] * WINDOW_SEGMENTS
    fired = feed(tracker, later)
    assert tracker.rules == [0, 0, 0, 0, 0, 1]  # A was the source of "in" too
    assert len(seen_from(fired)) == WINDOW_SEGMENTS + 1


# The window


def held_back(window: Window, sent: Sequence[Sent], now: float = 0.0) -> list[int]:
    """The packets that the window lets go."""
    return [int(packet) for part in window.feed(rows(sent), now) for packet in part["packet"]]


def test_segments_that_rules_0_to_2_decide_do_not_wait() -> None:
    window = Window(("203.0.113.1",), [halves(C.address)])
    loopback = segment(Endpoint("::1", 1), Endpoint("::1", 2))
    sent = [segment(A, B), segment(B, A), segment(C, D), loopback]
    assert held_back(window, sent) == [1, 2, 3, 4]
    assert not window.decided


def test_one_that_waits_holds_back_all_behind_it_and_order_is_kept() -> None:
    window = Window(("203.0.113.1",))
    sent = [segment(A, B), segment(C, D), segment(A, B), segment(A, C)]
    assert held_back(window, sent) == [1]
    assert held_back(window, [segment(A, B)]) == []
    released = np.concatenate(list(window.release()))
    assert released["packet"].tolist() == [2, 3, 4, 1]
    assert list(window.release()) == []
    assert held_back(window, sent) == [1, 2, 3, 4]


@pytest.mark.parametrize("size", [1, 100, 4095, 4096, 5000])
def test_the_window_is_4096_segments(size: int) -> None:
    """Segment 4,097 speaks against the address, too late."""
    out, against = segment(A, C, SIDE_OUTBOUND), segment(A, B, SIDE_INBOUND)
    tracker = make_tracker()
    sent = [out] * WINDOW_SEGMENTS + [against] * 10
    released = [
        len(seen_from(feed(tracker, sent[start : start + size])))
        for start in range(0, len(sent), size)
    ]
    assert tracker.window.decided
    assert tracker.rules == [0, 0, 0, 2, 0, 0]
    assert sum(released) == len(sent)
    assert all(count == 0 for count in released[: (WINDOW_SEGMENTS - 1) // size])


def test_the_last_segment_of_the_window_counts() -> None:
    out, against = segment(A, C, SIDE_OUTBOUND), segment(A, C, SIDE_INBOUND)
    sent = [*[out] * (WINDOW_SEGMENTS - 1), against, *[out] * 10]
    assert rules_of(*sent) == [0, 0, 0, 0, 0, 1]


def test_the_window_ends_half_a_second_after_its_first_segment_when_the_input_waits() -> None:
    window = Window(waits=True)
    assert not window.expired(100.0)
    held_back(window, [segment(A, C, SIDE_OUTBOUND)], 100.0)
    held_back(window, [segment(A, D)], 100.4)
    assert not window.expired(100.0 + WINDOW_SECONDS - 0.001)
    assert window.expired(100.0 + WINDOW_SECONDS)


def test_segments_that_come_after_half_a_second_do_not_decide() -> None:
    window = Window(waits=True)
    assert held_back(window, [segment(A, C, SIDE_OUTBOUND)], 100.0) == []
    against = [segment(A, B, SIDE_INBOUND)]
    assert held_back(window, against, 100.0 + WINDOW_SECONDS) == [1, 1]
    assert window.sides.by_direction.tolist() == [[*halves(A.address)]]


def test_a_file_that_is_read_slowly_gives_the_same_window() -> None:
    window = Window(waits=False)
    held_back(window, [segment(A, C)], 100.0)
    assert not window.expired(1_000.0)
    assert held_back(window, [segment(A, D)], 1_000.0) == []


def test_what_waits_is_kept_though_its_batch_is_overwritten() -> None:
    tracker = make_tracker(["send"], local=[])
    batch = rows([segment(A, C), segment(A, D)])
    assert list(tracker.feed(batch, 0.0)) == []
    batch[:] = 0
    assert seen_from(finish(tracker)) == [("send", A.address)] * 2


def test_a_tick_lets_go_what_waited() -> None:
    tracker = make_tracker()
    tracker.window.waits = True
    assert feed(tracker, [segment(A, C, SIDE_OUTBOUND)]) == []
    assert [*tracker.tick(WINDOW_SECONDS - 0.01)] == []
    fired = [each for batch in tracker.tick(WINDOW_SECONDS) for each in told(batch)]
    assert seen_from(fired) == [("send", A.address)]
    assert [*tracker.tick(2 * WINDOW_SECONDS)] == []


def test_the_end_of_the_input_decides_a_short_window() -> None:
    tracker = make_tracker(["send", "receive"])
    assert feed(tracker, [segment(A, C), segment(A, D)]) == []
    assert seen_from(finish(tracker)) == [("send", A.address)] * 2
    assert tracker.rules == [0, 0, 0, 0, 2, 0]


def test_each_rule_counts_its_connections() -> None:
    """One of rule 0, two of rule 1, one of rule 2, and two that use the same ports."""
    tracker = make_tracker(local=["203.0.113.1"], known=[halves(C.address)])
    wire = Wire()
    talk = wire.talk(CLIENT._replace(address="127.0.0.1"), SERVER._replace(address="127.0.0.1"))
    talk.handshake()
    talk.renew((77_000, 78_000))
    talk.handshake()
    sent = [*wire.sent, segment(A, B), segment(C, D), segment(D, A)]
    feed(tracker, sent)
    assert tracker.rules == [2, 2, 1, 0, 0, 0]
