"""Rows that wait for others: all come, in order, with what they add, and not too late."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CLOSED, RTT_SAMPLE
from tcpsnoop.engine.gathered import ENOUGH, Gathered
from tests.probe_batches import batch_of, row

ENDS = ("10.0.0.1 80", "10.0.0.9 9")
MANY = [row("send", *ENDS)] * ENOUGH


def sent(*packets: int) -> ProbeBatch:
    return batch_of([row("send", *ENDS, packet=packet) for packet in packets])


def closed(packet: int, payload: int) -> dict[str, object]:
    return row("closed", *ENDS, packet=packet, tx_payload=payload)


def sample(packet: int, elapsed_ns: int) -> dict[str, object]:
    return row("rtt-sample", *ENDS, packet=packet, elapsed_ns=elapsed_ns)


def said(batches: Iterable[ProbeBatch]) -> list[tuple[int, int]]:
    """Of each row the packet, and the value that it adds; -1 none."""
    found = []
    for batch in batches:
        for each in batch.rows:
            at, value = int(each["detail"]), -1
            if at >= 0 and each["probe"] == CLOSED:
                value = int(batch.closed["tx_payload"][at])
            elif at >= 0:
                value = int(batch.details["elapsed_ns"][at])
            found.append((int(each["packet"]), value))
    return found


def test_few_rows_wait_for_the_rest() -> None:
    gathered = Gathered()
    assert list(gathered.pass_on(sent(1, 2))) == []
    assert list(gathered.pass_on(sent(3))) == []
    assert said(gathered.rest()) == [(1, -1), (2, -1), (3, -1)]
    assert list(gathered.rest()) == []


def test_what_waits_is_a_copy() -> None:
    gathered, batch = Gathered(), sent(7)
    list(gathered.pass_on(batch))
    batch.rows["packet"] = 0
    assert said(gathered.rest()) == [(7, -1)]


def test_many_rows_are_handed_on_as_they_are_behind_what_waited() -> None:
    gathered, many = Gathered(), batch_of(MANY)
    list(gathered.pass_on(sent(1)))
    first, second = gathered.pass_on(many)
    assert first.rows["packet"].tolist() == [1]
    assert second is many


def test_rows_do_not_wait_once_they_are_enough() -> None:
    gathered = Gathered()
    half = batch_of(MANY[: ENOUGH - 1])
    assert list(gathered.pass_on(half)) == []
    (handed,) = gathered.pass_on(half)
    assert len(handed) == 2 * (ENOUGH - 1)
    assert list(gathered.rest()) == []


def test_each_row_keeps_what_it_adds() -> None:
    gathered = Gathered()
    rows = [closed(1, 10), sample(2, 20), row("send", *ENDS, packet=3), closed(4, 40)]
    list(gathered.pass_on(batch_of(rows)))
    list(gathered.pass_on(batch_of([sample(5, 50), closed(6, 60)])))
    (batch,) = gathered.rest()
    assert said([batch]) == [(1, 10), (2, 20), (3, -1), (4, 40), (5, 50), (6, 60)]
    assert len(batch.closed) == 3
    assert len(batch.details) == 2


@pytest.mark.parametrize("wanted", [CLOSED, RTT_SAMPLE])
def test_a_part_of_a_batch_brings_what_it_points_to_alone(wanted: int) -> None:
    mask = np.zeros(256, np.bool_)
    mask[wanted] = True
    whole = batch_of([closed(1, 10), sample(2, 20), closed(3, 30), sample(4, 40)])
    gathered = Gathered()
    list(gathered.pass_on(whole.attached(mask)))
    expected = [(1, 10), (3, 30)] if wanted == CLOSED else [(2, 20), (4, 40)]
    assert said(gathered.rest()) == expected


@given(st.lists(st.lists(st.integers(0, 2), max_size=ENOUGH // 300), max_size=12))
def test_nothing_is_lost_whatever_the_batches(batches: list[list[int]]) -> None:
    gathered, found, expected, packet = Gathered(), [], [], 0
    for batch in batches:
        rows = []
        for kind in batch * 100:
            packet += 1
            make = (closed, sample)[kind] if kind < 2 else None
            rows.append(make(packet, packet) if make else row("send", *ENDS, packet=packet))
            expected.append((packet, packet if make else -1))
        if rows:
            found += said(gathered.pass_on(batch_of(rows)))
    assert found + said(gathered.rest()) == expected
