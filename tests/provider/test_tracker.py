"""The whole provider: against an oracle, cut anywhere, interpreted, on captures, on garbage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpsnoop.batches.segments import (
    ACK,
    OPTION_SACK,
    OPTION_TIMESTAMPS,
    SEGMENT,
    SegmentBatch,
)
from tcpsnoop.provider import tracking
from tcpsnoop.provider.memory import (
    CLOCK,
)
from tcpsnoop.provider.tracker import ROOM, Tracker
from tests.provider.consistency import (
    check,
    intervals_in_use,
    live,
    timings_in_use,
    waiting,
)
from tests.provider.conversations import captures
from tests.provider.oracle_tracker import Oracle
from tests.provider.talk import Endpoint, Sent, Wire, rows, with_flows
from tests.provider.tracked import (
    COMPILED,
    EVERY,
    Fired,
    Provider,
    feed,
    feed_rows,
    finish,
    interpreted,
    make_tracker,
    track,
)

LOCALS: tuple[tuple[str, ...], ...] = (
    (),
    ("192.0.2.10",),
    ("198.51.100.0/24", "2001:db8::10"),
    ("0.0.0.0/0", "::/0"),
)
locals_ = st.sampled_from(LOCALS)
capacities = st.sampled_from((1, 2, 3, 256))
cuts = st.lists(st.integers(0, 12), max_size=12)


def in_order(fired: Sequence[Fired]) -> list[tuple[str, ...]]:
    """Rows to compare where the order of different probes of one segment is nobody's promise.

    Without what the oracle does not know.
    """
    return sorted(tuple(map(str, each._replace(adds=()))) for each in fired)


def of(fired: Sequence[Fired], probe: str) -> list[Fired]:
    return [each for each in fired if each.probe == probe]


def run_rows(
    segments: SegmentBatch, provider: Provider, capacity: int = 3
) -> tuple[list[Fired], list[int]]:
    """What fires, and the counts."""
    tracker = make_tracker(EVERY, max_connections=capacity, provider=provider)
    fired = [*feed_rows(tracker, segments), *finish(tracker)]
    check(tracker)
    return fired, [tracker.duplicates, tracker.connections, tracker.evicted, *tracker.rules]


# The oracle


@settings(max_examples=400)
@given(captures(), locals_, capacities)
def test_the_oracle_says_the_same(sent: list[Sent], local: tuple[str, ...], capacity: int) -> None:
    oracle = Oracle(local, capacity)
    tracker = make_tracker(local=local, max_connections=capacity)
    fired = [*feed(tracker, sent), *finish(tracker)]
    expected = oracle.track(sent)
    assert in_order(fired) == in_order(expected)
    assert of(fired, "write") == of(expected, "write")
    ends = [[each.connection for each in of(rows_, "closed")] for rows_ in (fired, expected)]
    assert ends[0] == ends[1]
    assert tracker.rules == oracle.rules
    counts = oracle.duplicates, oracle.met, oracle.evicted
    assert (tracker.duplicates, tracker.connections, tracker.evicted) == counts
    check(tracker)


@settings(max_examples=100)
@given(captures(), locals_, capacities, cuts)
def test_any_cut_into_batches_gives_the_same(
    sent: list[Sent], local: tuple[str, ...], capacity: int, sizes: list[int]
) -> None:
    whole = track(sent, *EVERY, local=local, max_connections=capacity)
    assert track(sent, *EVERY, sizes=sizes, local=local, max_connections=capacity) == whole
    one_by_one = [1] * len(sent)
    assert track(sent, *EVERY, sizes=one_by_one, local=local, max_connections=capacity) == whole


@settings(max_examples=100)
@given(captures(), locals_, capacities)
def test_interpreted_gives_the_same(
    sent: list[Sent], local: tuple[str, ...], capacity: int
) -> None:
    compiled = track(sent, *EVERY, local=local, max_connections=capacity)
    plain = track(sent, *EVERY, local=local, max_connections=capacity, provider=interpreted())
    assert plain == compiled


@settings(max_examples=100)
@given(captures(), locals_, st.sets(st.sampled_from(EVERY)))
def test_what_is_wanted_changes_nothing_of_it(
    sent: list[Sent], local: tuple[str, ...], wanted: set[str]
) -> None:
    everything = track(sent, *EVERY, local=local)
    tracker = make_tracker(wanted, local=local)
    fired = [*feed(tracker, sent), *finish(tracker)]
    assert fired == [each for each in everything if each.probe in wanted]
    check(tracker)


@settings(max_examples=100)
@given(captures(), capacities)
def test_nothing_is_left_behind(sent: list[Sent], capacity: int) -> None:
    """Neither while connections come and go nor after the end."""
    tracker = make_tracker(EVERY, max_connections=capacity)
    for start in range(0, len(sent), 7):
        feed(tracker, sent[start : start + 7], first=start + 1)
        check(tracker)
    finish(tracker)
    check(tracker)
    assert live(tracker) == intervals_in_use(tracker) == timings_in_use(tracker) == 0
    assert waiting(tracker) == []


@settings(max_examples=100)
@given(captures())
def test_the_overlaps_are_the_retransmitted_bytes(sent: list[Sent]) -> None:
    """What `retransmit` told one by one is what `closed` tells at the end."""
    told: Counter[tuple[int, str]] = Counter()
    for each in track(sent, "retransmit", "closed", local=["0.0.0.0/0", "::/0"]):
        if each.totals is None:
            told[each.connection, each.left] += int(each.added["overlap"])
        else:
            assert told[each.connection, each.left] == each.totals.tx.retransmitted


@settings(max_examples=60)
@given(captures())
def test_payload_is_unique_and_retransmitted_and_probe_and_duplicates(sent: list[Sent]) -> None:
    fired = track(sent, "closed", "duplicate-frame")
    told = {each.connection: each.totals for each in fired if each.totals is not None}
    counted = sum(end.payload for totals in told.values() for end in (totals.tx, totals.rx))
    late = {each.connection for each in fired} - told.keys()
    assert not late
    for totals in told.values():
        for end in (totals.tx, totals.rx):
            assert 0 <= end.retransmitted + end.probe <= end.payload
    copies = {each.packet: each.bytes or 0 for each in of(fired, "duplicate-frame")}
    payload = sum(segment.payload or 0 for segment in sent)
    assert counted + sum(copies.values()) <= payload
    if all(totals.end_reason in ("end_of_input", "reused") for totals in told.values()):
        # None was told before its last segment.
        assert counted + sum(copies.values()) == payload


# Memory


def strangers(count: int, segments: int = 1) -> list[Sent]:
    """Connections of one or more segments each, one after the other."""
    wire = Wire()
    for number in range(count):
        talk = wire.talk(Endpoint("192.0.2.10", number))
        for _ in range(segments):
            talk.a.data(1)
    return wire.sent


def test_the_least_recently_active_goes_first() -> None:
    wire = Wire()
    a, b, c, d = (wire.talk(Endpoint("192.0.2.10", 40_000 + number)) for number in range(4))
    for talk in (a, b, c, a):
        talk.a.data(1)
    wire.again(wire.sent[1], after_us=1, path=1)  # a copy is no activity
    d.a.data(1)
    fired = track(wire.sent, "closed", max_connections=3)
    assert (fired[0].connection, fired[0].packet) == (2, 5)
    reasons = [each.totals.end_reason for each in fired if each.totals is not None]
    assert reasons == ["evicted", "end_of_input", "end_of_input", "end_of_input"]


def test_the_count_of_segments_that_tells_activity_may_wrap() -> None:
    wire = Wire()
    talks = [wire.talk(Endpoint("192.0.2.10", 40_000 + number)) for number in range(12)]
    for talk in (*talks[:10], talks[0], *talks[10:]):
        talk.a.data(1)
    tracker = make_tracker(["closed"], max_connections=10, decided=True)
    tracker._table.state[CLOCK] = 2**32 - 6
    fired = feed(tracker, wire.sent)
    assert [each.connection for each in fired] == [2, 3]
    assert tracker.evicted == 2


@pytest.mark.parametrize("capacity", [1, 7, 64, 200, 1000])
def test_the_cap_is_never_exceeded_and_evictions_are_counted(capacity: int) -> None:
    tracker = make_tracker(["closed"], max_connections=capacity, decided=True)
    sent = strangers(2_000)
    fired = []
    for start in range(0, len(sent), 333):
        fired += feed(tracker, sent[start : start + 333], first=start + 1)
        assert live(tracker) <= capacity
    check(tracker)
    assert tracker.connections == 2_000
    assert tracker.evicted == 2_000 - live(tracker) == len(fired)
    assert [each.connection for each in fired] == list(range(1, tracker.evicted + 1))
    assert len(finish(tracker)) == 2_000 - tracker.evicted


def test_a_closed_connection_that_was_told_is_evicted_in_silence() -> None:
    wire = Wire()
    wire.talk().a.rst()
    wire.talk(Endpoint("192.0.2.10", 40_000)).a.data(1)
    fired = track(wire.sent, "closed", max_connections=1)
    assert [each.connection for each in fired] == [1, 2]


def test_a_full_table_evicts_nobody_while_nobody_new_comes() -> None:
    """However often the rows of probes fill up."""
    capacity = 50
    sent = strangers(capacity)
    tracker = make_tracker(["send", "receive"], max_connections=capacity, decided=True)
    wire = Wire()
    wire.time_ns += 10**9
    for number in range(3 * ROOM // capacity):
        for segment in sent:
            wire.again(segment, sequence=segment.sequence + 1 + number)
    fired = feed(tracker, sent + wire.sent)
    assert len(fired) == len(sent + wire.sent)
    assert tracker.evicted == 0
    assert tracker.connections == capacity


def test_more_probes_than_fit_at_once_come_in_order() -> None:
    sent = strangers(90, segments=ROOM // 90)
    tracker = make_tracker(["send", "receive"], local=["0.0.0.0/0"])
    batches = [batch.rows["packet"].tolist() for batch in tracker.feed(rows(sent), 0.0)]
    assert len(batches) > 2
    assert max(map(len, batches)) <= ROOM
    packets = range(1, len(sent) + 1)
    assert list(chain.from_iterable(batches)) == [
        packet for packet in packets for _ in ("send", "receive")
    ]


def test_the_end_tells_every_open_connection_however_many() -> None:
    count = ROOM + 500
    tracker = make_tracker(["closed"], max_connections=count)
    feed(tracker, strangers(count))
    fired = finish(tracker)
    assert [each.connection for each in fired] == list(range(1, count + 1))
    assert finish(tracker) == []


def test_an_empty_input() -> None:
    tracker = make_tracker()
    assert feed(tracker, []) == []
    assert finish(tracker) == []
    assert (tracker.connections, tracker.evicted, tracker.rules) == (0, 0, [0] * 6)


# Garbage


def garbage(seed: int, count: int, familiar: bool) -> SegmentBatch:
    """Rows of any value; `familiar`: between few ends, with numbers near each other."""
    rng = np.random.default_rng(seed)
    batch = np.frombuffer(rng.bytes(count * SEGMENT.itemsize), SEGMENT).copy()
    # Differences of times fit into an int64, as they do for times after 1823 and before 2116.
    batch["time_ns"] >>= 2
    batch["options"] &= OPTION_TIMESTAMPS | OPTION_SACK
    batch["clock_ns"] = np.maximum.accumulate(batch["time_ns"])
    if familiar:
        for name in ("source_high", "destination_high"):
            batch[name] = 0
        for name in ("source_low", "destination_low", "source_port", "destination_port"):
            batch[name] = rng.integers(0, 2, count)
        for name in ("sequence", "acknowledgment"):
            batch[name] = rng.integers(-200, 200, count).astype(np.uint32)
        batch["payload"] = rng.choice((-1, 0, 1, 5, 60, 2**31 - 1, -(2**31)), count)
        batch["flags"] = rng.choice((ACK, ACK | 8, 2, 18, 17, 20, 4, 0, 0xFFFF), count)
        batch["window"] = rng.choice((0, 1, 65535), count)
        batch["time_ns"] = np.cumsum(rng.choice((-1000, 0, 300_000, 30_000_000_000), count))
        batch["clock_ns"] = np.maximum.accumulate(batch["time_ns"])
        for name in ("tsval", "tsecr"):
            batch[name] = rng.integers(-3, 3, count).astype(np.uint32)
        for name in ("ip_id", "path", "fingerprint"):
            batch[name] = rng.integers(0, 2, count)
    return with_flows(batch)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from((1, 2, 5, 300)))
def test_garbage_never_raises_and_harms_nothing(seed: int, familiar: bool, capacity: int) -> None:
    tracker = make_tracker(EVERY, max_connections=capacity, decided=seed % 2 == 0)
    shown = 0
    for part in range(4):
        fired = feed_rows(tracker, garbage(seed + part, 150, familiar))
        shown += sum(each.probe in ("send", "receive") for each in fired)
        check(tracker)
        assert live(tracker) <= capacity
    shown += sum(each.probe in ("send", "receive") for each in finish(tracker))
    assert shown >= 600
    assert live(tracker) == intervals_in_use(tracker) == timings_in_use(tracker) == 0
    assert waiting(tracker) == []


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.booleans())
def test_garbage_interpreted_gives_the_same(seed: int, familiar: bool) -> None:
    batch = garbage(seed, 150, familiar)
    assert run_rows(batch, interpreted()) == run_rows(batch, COMPILED)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, 40))
def test_garbage_with_little_memory(seed: int, room: int) -> None:
    tracker = make_tracker(EVERY, max_connections=6, decided=True)
    pool, timings = tracker._memory.intervals[:room].copy(), tracker._memory.timings[:room].copy()
    tracker._memory = tracker._memory._replace(intervals=pool, timings=timings)
    for part in range(5):
        list(feed_rows(tracker, garbage(seed + part, 100, familiar=True)))
        check(tracker)
    finish(tracker)
    assert intervals_in_use(tracker) == 0


# Differences of such times wrap around, interpreted with a warning, compiled without.
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_times_at_the_ends_of_their_range() -> None:
    batch = garbage(1, 500, familiar=True)
    batch["time_ns"] = np.resize([-(2**63), 2**63 - 1, 0, -1], 500)
    batch["clock_ns"] = batch["time_ns"]
    tracker = make_tracker(EVERY, max_connections=3)
    assert list(feed_rows(tracker, batch)) == []
    assert len(finish(tracker)) > 500
    check(tracker)


# Interpreted, all of it


@pytest.mark.slow
def test_all_these_tests_hold_interpreted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", str(Path(__file__).parent)],
        env={**os.environ, "TCPSNOOP_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stdout[-5_000:]


def test_kernels_are_compiled_unless_asked_otherwise() -> None:
    """The comparisons above compare two different things."""
    asked = os.environ.get("TCPSNOOP_INTERPRET") == "1"
    assert hasattr(tracking.track, "py_func") is not asked
    assert not hasattr(interpreted().tracker.track, "py_func")
    assert interpreted().tracker.Tracker is not Tracker
