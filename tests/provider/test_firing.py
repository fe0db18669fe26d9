"""Which ends a probe is seen from, and what its row says (SEMANTICS 4 and 6)."""

from __future__ import annotations

from collections import Counter

import pytest

from tcpsnoop.batches.segments import ACK, PUSH, SYN
from tcpsnoop.provider.tracker import ROOM
from tests.provider.talk import CLIENT, CLIENT_6, SERVER, SERVER_6, START_NS, Sent, Wire, rows
from tests.provider.tracked import ALL, Counts, Fired, Totals, finish, make_tracker, track

CLIENT_IS_LOCAL, SERVER_IS_LOCAL = (CLIENT.address,), (SERVER.address,)
BOTH_ARE_LOCAL = (CLIENT.address, SERVER.address)
NONE_IS_LOCAL = ()
CLIENT_END, SERVER_END = str(CLIENT), str(SERVER)


def session() -> list[Sent]:
    """A connection with a write and a copy of each kind of probe but refusals."""
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    talk.a.push(2)
    wire.again(after_us=10, path=1)
    talk.b.push(126)
    talk.close()
    return wire.sent


def refusal() -> list[Sent]:
    wire = Wire()
    talk = wire.talk(isn=(70_000, 90_000))
    talk.a.syn()
    talk.b.rst()
    return wire.sent


@pytest.mark.parametrize(
    ("local", "client_sees", "server_sees"),
    [
        (CLIENT_IS_LOCAL, True, False),
        (SERVER_IS_LOCAL, False, True),
        (BOTH_ARE_LOCAL, True, True),
        (NONE_IS_LOCAL, True, True),
    ],
)
def test_which_end_sees_what(local: tuple[str, ...], client_sees: bool, server_sees: bool) -> None:
    """Probes of one end, for local ends only, under rule 5 for both."""
    fired = track(session() + refusal(), local=local)
    seen = {(each.probe, each.left) for each in fired}
    for probe in ("connect-request", "connect-established", "connect-refused"):
        assert ((probe, CLIENT_END) in seen) is client_sees
        assert (probe, SERVER_END) not in seen
    for probe in ("accept-established", "accept-refused"):
        assert ((probe, SERVER_END) in seen) is server_sees
        assert (probe, CLIENT_END) not in seen
    assert (("write", CLIENT_END) in seen) is client_sees
    assert (("write", SERVER_END) in seen) is server_sees


def shown(fired: list[Fired]) -> list[tuple[str, str]]:
    names = {CLIENT_END: "client", SERVER_END: "server"}
    return [(each.probe, names[each.left]) for each in fired]


@pytest.mark.parametrize(
    ("local", "sent_by_client", "sent_by_server"),
    [
        (CLIENT_IS_LOCAL, [("send", "client")], [("receive", "client")]),
        (SERVER_IS_LOCAL, [("receive", "server")], [("send", "server")]),
        (
            BOTH_ARE_LOCAL,
            [("send", "client"), ("receive", "server")],
            [("send", "server"), ("receive", "client")],
        ),
        (NONE_IS_LOCAL, [("receive", "server")], [("send", "server")]),
    ],
)
def test_send_and_receive(
    local: tuple[str, ...],
    sent_by_client: list[tuple[str, str]],
    sent_by_server: list[tuple[str, str]],
) -> None:
    wire = Wire()
    talk = wire.talk()
    talk.a.syn()
    talk.b.syn_ack()
    fired = track(wire.sent, "send", "receive", local=local)
    assert shown(fired) == sent_by_client + sent_by_server
    assert all((each.direction == "->") is (each.probe == "send") for each in fired)


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        (CLIENT_IS_LOCAL, ["client"]),
        (SERVER_IS_LOCAL, ["server"]),
        (BOTH_ARE_LOCAL, ["client", "server"]),
        (NONE_IS_LOCAL, ["server"]),
    ],
)
@pytest.mark.parametrize("probe", ["closed", "duplicate-frame"])
def test_probes_of_the_whole_connection(
    probe: str, local: tuple[str, ...], ends: list[str]
) -> None:
    fired = track(session(), probe, local=local)
    assert sorted(shown(fired)) == [(probe, end) for end in ends]


def test_a_row_says_all_of_its_segment() -> None:
    wire = Wire()
    wire.talk().handshake()
    batch = rows(wire.sent, first_packet=41)
    batch["clock_ns"] += 5
    batch["frame_bytes"], batch["interface"], batch["frame"] = (77, 66, -1), 3, (9, 8, 7)
    batch["digits"] = 9
    tracker = make_tracker(["send"], local=["::/0", "0.0.0.0/0"])
    fired = [row.copy() for found in tracker.feed(batch, 0.0) for row in found.rows]
    assert [int(row["packet"]) for row in fired] == [41, 42, 43]
    assert [int(row["frame_bytes"]) for row in fired] == [77, 66, -1]
    assert [int(row["frame"]) for row in fired] == [9, 8, 7]
    assert [int(row["flags"]) for row in fired] == [SYN, SYN | ACK, ACK]
    for row, segment in zip(fired, batch, strict=True):
        assert row["time_ns"] == segment["time_ns"]
        assert row["clock_ns"] == segment["time_ns"] + 5
        assert (row["interface"], row["digits"], row["detail"]) == (3, 9, -1)
        assert (row["outgoing"], row["remote_local"], row["duplicate"]) == (1, 1, 0)


def test_addresses_and_ports_of_both_families() -> None:
    wire = Wire()
    wire.talk(CLIENT_6, SERVER_6).a.syn()
    wire.talk(SERVER, CLIENT).a.syn()
    fired = track(wire.sent, "connect-request")
    assert [(each.left, each.right, each.end) for each in fired] == [
        (str(CLIENT_6), str(SERVER_6), "originator"),
        (str(SERVER), str(CLIENT), "originator"),
    ]


def test_an_unknown_length_stays_unknown() -> None:
    wire = Wire()
    wire.talk().a.sends(ACK, None)
    assert [each.bytes for each in track(wire.sent, "receive")] == [None]


def test_the_end_at_the_right_may_be_local_too() -> None:
    assert {each.remote_local for each in track(session(), local=BOTH_ARE_LOCAL)} == {True}
    for local in (CLIENT_IS_LOCAL, SERVER_IS_LOCAL, NONE_IS_LOCAL):
        assert {each.remote_local for each in track(session(), local=local)} == {False}


def test_totals_of_a_connection() -> None:
    """The end at the left is `tx`; the copy counts nowhere."""
    client, server = Counts(5, 2), Counts(4, 126)
    closed = {each.left: each.totals for each in track(session(), "closed", local=BOTH_ARE_LOCAL)}
    start_ns = START_NS + 200_000
    assert closed == {
        CLIENT_END: Totals(start_ns, "fin", False, client, server),
        SERVER_END: Totals(start_ns, "fin", False, server, client),
    }


def test_closed_has_the_clock_of_its_segment() -> None:
    batch = rows(session())
    batch["clock_ns"] += 7
    batch["digits"] = 9
    tracker = make_tracker(["closed"], local=CLIENT_IS_LOCAL)
    (row,) = (row.copy() for found in tracker.feed(batch, 0.0) for row in found.rows)
    assert (row["clock_ns"], row["digits"]) == (batch["time_ns"][-1] + 7, 9)
    assert (row["frame_bytes"], row["interface"], row["frame"]) == (-1, -1, -1)


def test_closed_is_told_at_its_segment() -> None:
    (fired,) = track(session(), "closed")
    last = session()[-1]
    assert (fired.packet, fired.time_ns, fired.bytes, fired.flags) == (10, last.time_ns, 0, 0)
    assert (fired.end, fired.left, fired.direction) == ("responder", SERVER_END, "<-")


def test_each_segment_fires_once_for_its_end() -> None:
    fired = track(session())
    assert Counter(each.probe for each in fired) == {
        "send": 4,
        "receive": 6,
        "connect-request": 1,
        "connect-established": 1,
        "accept-established": 1,
        "write": 2,
        "closed": 1,
        "duplicate-frame": 1,
    }


def test_a_write_is_a_row_of_its_writer() -> None:
    fired = track(session(), "write")
    assert [(each.left, each.end, each.direction, each.bytes, each.flags) for each in fired] == [
        (CLIENT_END, "originator", "->", 2, ACK | PUSH),
        (SERVER_END, "responder", "->", 126, ACK | PUSH),
    ]


@pytest.mark.parametrize("probe", ALL)
@pytest.mark.parametrize("local", [NONE_IS_LOCAL, BOTH_ARE_LOCAL], ids=["rule 5", "both"])
def test_only_wanted_probes_fire_and_they_are_the_same(probe: str, local: tuple[str, ...]) -> None:
    everything = track(session() + refusal(), local=local)
    alone = track(session() + refusal(), probe, local=local)
    assert alone == [each for each in everything if each.probe == probe]
    assert alone, f"no {probe}: the test says nothing"


def test_nobody_wants_anything() -> None:
    tracker = make_tracker([])
    assert list(tracker.feed(rows(session()), 0.0)) == []
    assert finish(tracker) == []
    assert tracker.connections == 1


def test_every_probe_of_the_oracle_can_fire() -> None:
    assert {each.probe for each in track(session() + refusal())} == set(ALL)


def test_probes_that_no_end_sees_take_no_room() -> None:
    """More samples of the remote end than there is room for at once; one of the local end."""
    wire = Wire()
    talk = wire.talk()
    talk.handshake()
    for _ in range(ROOM + 1):
        talk.b.push(1)
        talk.a.ack()
    fired = track(wire.sent, "rtt-sample", local=[CLIENT.address])
    assert {each.left for each in fired} == {str(CLIENT)}
    assert [each.packet for each in fired] == [2, 3]
