"""Events written as columns are the same when they are read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.journal.event_columns import KINDS, EventColumns, read_events
from tcpsnoop.owners.journal.records import DamageError
from tcpsnoop.owners.tracing.events import (
    DESTROYED,
    EVENT,
    FORKED,
    LOST,
    NAMED,
    NAMESPACE,
    RECEIVED,
    SEEDED,
    SENT,
    STATE,
)
from tcpsnoop.owners.tracing.seeds import name_words
from tests.owners.journal.journals import NOON, event

HERE, THERE = halves("192.0.2.10"), halves("2001:db8::1")
ENDS = {
    "laddr_high": HERE[0],
    "laddr_low": HERE[1],
    "raddr_high": THERE[0],
    "raddr_low": THERE[1],
    "lport": 443,
    "rport": 50001,
}


def named(name: str) -> dict[str, int]:
    return dict(zip(("laddr_high", "laddr_low"), name_words(name), strict=True))


def again(rows: NDArray[np.void]) -> NDArray[np.void]:
    return read_events(json.loads(json.dumps(EventColumns().write(rows))))


def test_the_columns_of_a_state() -> None:
    rows = event(0, STATE, 812, socket=-(1 << 46), old=7, new=2, cgroup=77, **ENDS)
    assert EventColumns().write(rows) == {
        "time_ns": NOON,
        "kind": ["state"],
        "after_ns": [0],
        "pid": [812],
        "tid": [812],
        "flags": [1],
        "cgroup": [77],
        "old": [7],
        "new": [2],
        "lport": [443],
        "rport": [50001],
        "socket": [1],
        "laddr": ["192.0.2.10"],
        "raddr": ["2001:db8::1"],
    }


@pytest.mark.parametrize(
    ("rows", "column", "told"),
    [
        (event(0, SENT, 1, socket=9, length=100), "bytes", 100),
        (event(0, RECEIVED, 1, socket=9, length=-104), "bytes", -104),
        (event(0, DESTROYED, 1, socket=9, cookie=4711, **ENDS), "cookie", 4711),
        (event(0, FORKED, 5, length=1), "parent", 1),
        (event(0, NAMED, 5, **named("curl")), "name", "curl"),
        (event(0, NAMESPACE, 5, socket=4026531840), "network_namespace", 4026531840),
        (event(0, SEEDED, 5, cookie=77, **named("a b")), "start_time", 77),
        (event(0, LOST, 0, length=12), "lost", 12),
    ],
)
def test_a_column_means_one_thing(rows: NDArray[np.void], column: str, told: object) -> None:
    columns: dict[str, Any] = EventColumns().write(rows)
    assert columns[column] == [told]
    back = again(rows)
    rows["socket"][np.isin(rows["kind"], [SENT, RECEIVED, DESTROYED])] = 1
    assert (back == rows).all()


def test_what_says_nothing_of_any_event_is_left_out() -> None:
    assert EventColumns().write(event(0, FORKED, 0)).keys() == {
        "time_ns",
        "kind",
        "after_ns",
        "flags",
    }


def test_a_socket_has_a_number_until_it_is_gone() -> None:
    """Where it is in the kernel is not told, and another may be there later."""
    columns = EventColumns()

    def numbers(*rows: NDArray[np.void]) -> object:
        return columns.write(np.concatenate(rows))["socket"]

    first = [event(0, SENT, socket=-5), event(1, SENT, socket=-6), event(2, FORKED)]
    assert numbers(*first, event(3, DESTROYED, socket=-5)) == [1, 2, 0, 1]
    assert numbers(event(4, SENT, socket=-5), event(5, SENT, socket=-6)) == [3, 2]


def test_names_that_are_no_text_stay_as_they_are() -> None:
    raw = b"a\xff)\xf0b\x01"
    high, low = (int.from_bytes(raw.ljust(16, b"\0")[at : at + 8], "big") for at in (0, 8))
    rows = event(0, NAMED, 1, laddr_high=high, laddr_low=low)
    assert (again(rows) == rows).all()


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.binary(min_size=128)), min_size=1))
def test_what_was_written_is_read_whatever_it_is(told: list[tuple[int, bytes]]) -> None:
    """Written again it is the same text: all that columns tell is there."""
    rows = np.concatenate(
        [
            np.frombuffer(raw[: EVENT.itemsize].ljust(EVENT.itemsize, b"\0"), EVENT)
            for _, raw in told
        ]
    ).copy()
    rows["kind"] = [kind for kind, _ in told]
    rows["time_ns"] = NOON + np.abs(rows["time_ns"] >> 8)
    rows["length"][rows["kind"] == LOST] &= 0x7FFFFFFF
    once = EventColumns().write(rows)
    twice = EventColumns().write(read_events(json.loads(json.dumps(once))))
    assert twice == once


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("kind", []),
        ("kind", "state"),
        ("kind", ["nothing", "sent"]),
        ("kind", [1, 2]),
        ("kind", [["state"], "sent"]),
        ("time_ns", -1),
        ("time_ns", 1 << 62),
        ("time_ns", 1.5),
        ("time_ns", None),
        ("after_ns", [0]),
        ("after_ns", [0, 1 << 62]),
        ("after_ns", [0, 0.5]),
        ("after_ns", ["0", "1"]),
        ("after_ns", [[0], [1]]),
        ("pid", [0, 1 << 31]),
        ("pid", [0, 1 << 70]),
        ("pid", [0, None]),
        ("pid", {"0": 1}),
        ("pid", [True, False]),
        ("flags", [0, 256]),
        ("lport", [65536, 0]),
        ("laddr", ["nowhere", 0]),
        ("laddr", [3232235777, 0]),
        ("laddr", ["192.0.2.10"]),
        ("name", [0, "x" * 17]),
        ("name", [0, "\ud800"]),
        ("name", [0, 5]),
        ("socket", None),
    ],
)
def test_what_is_not_as_it_should_be_is_damage(column: str, told: object) -> None:
    rows = np.concatenate([event(0, STATE, 1, socket=9, **ENDS), event(1, NAMED, 1, **named("x"))])
    columns = EventColumns().write(rows)
    columns[column] = told
    with pytest.raises(DamageError):
        read_events(columns)


@pytest.mark.parametrize("column", ["kind", "time_ns", "after_ns", "socket"])
def test_what_must_be_there(column: str) -> None:
    columns = EventColumns().write(event(0, STATE, 1, socket=9, **ENDS))
    del columns[column]
    with pytest.raises(DamageError):
        read_events(columns)


def test_columns_that_are_not_known_are_left() -> None:
    columns = EventColumns().write(event(0, FORKED, 5, length=1))
    columns["tomorrow"] = {"x": 1}
    assert len(read_events(columns)) == 1
