"""Parts of a batch: which rows, with which owners, and columns of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.batches import probes
from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import HOLDER, Owner, Process
from tcpsnoop.batches.probe_batch import ProbeBatch
from tests.probe_batches import batch_of, row


@pytest.fixture
def batch() -> ProbeBatch:
    """Three rows of two probes, with owners."""
    rows = [
        row("send", "10.0.0.1 80", "2001:db8::1 9", packet=1),
        row("write", "10.0.0.2 80", "10.0.0.9 9", packet=2),
        row("send", "10.0.0.3 80", "10.0.0.9 9", packet=3),
    ]
    return batch_of(rows, [Owner(HOLDER, Process(number, 1, "x")) for number in (7, 8, 9)])


@pytest.fixture
def wanted() -> Callable[..., NDArray[np.bool_]]:
    """The mask of probes that are wanted."""

    def mask(*numbers: int) -> NDArray[np.bool_]:
        each = np.zeros(256, np.bool_)
        each[list(numbers)] = True
        return each

    return mask


def test_rows_of_the_probes_that_are_wanted(
    batch: ProbeBatch, wanted: Callable[..., NDArray[np.bool_]]
) -> None:
    sent = batch.attached(wanted(probes.SEND))
    assert len(sent) == 2
    assert sent.rows["packet"].tolist() == [1, 3]
    pids = [sent.owners.pool[code].process for code in sent.owners.indices(2).tolist()]
    assert [process and process.pid for process in pids] == [7, 9]
    assert len(batch.attached(wanted(probes.CLOSED))) == 0
    assert batch.attached(wanted(probes.SEND, probes.WRITE)) is batch
    assert sent.attached(wanted(probes.SEND)) is sent
    assert len(sent.attached(wanted(probes.WRITE))) == 0


def test_columns_are_those_of_the_rows(
    batch: ProbeBatch, wanted: Callable[..., NDArray[np.bool_]]
) -> None:
    for part in (batch, batch.attached(wanted(probes.SEND)), batch.take(np.array([2, 0]))):
        packet, port = part.columns("packet", "lport")
        assert packet.tolist() == part.rows["packet"].tolist()
        assert port.tolist() == part.rows["lport"].tolist()
        assert packet.dtype == np.int64


def test_numbers_that_are_given_are_asked_for_instead_of_rows(
    batch: ProbeBatch, wanted: Callable[..., NDArray[np.bool_]]
) -> None:
    given = replace(batch, numbers=batch.rows["probe"].copy())
    both = wanted(probes.SEND, probes.RECEIVE)
    for part, same in ((batch, given), (batch.attached(both), given.attached(both))):
        for number in (probes.SEND, probes.RECEIVE, probes.CLOSED):
            found, expected = same.attached(wanted(number)), part.attached(wanted(number))
            assert found.rows.tolist() == expected.rows.tolist()
            assert set(found.rows["probe"].tolist()) <= {number}


def test_columns_of_what_a_probe_adds() -> None:
    rows = [
        row("send", "10.0.0.1 80", "10.0.0.9 9"),
        row("rtt-sample", "10.0.0.1 80", "10.0.0.9 9", kind=3, elapsed_ns=70),
        row("rtt-sample", "10.0.0.1 80", "10.0.0.9 9", kind=1, elapsed_ns=5_000_000_000),
    ]
    samples = batch_of(rows).take(np.array([2, 1]))
    assert samples.detail_columns("elapsed_ns", "kind").tolist() == [[5_000_000_000, 70], [1, 3]]


def test_chosen_rows_keep_their_owners(batch: ProbeBatch) -> None:
    chosen = batch.take(np.array([2, 0]))
    owners = [chosen.owners.pool[code] for code in chosen.owners.indices(len(chosen)).tolist()]
    assert [owner.process and owner.process.pid for owner in owners] == [9, 7]


def test_addresses_are_pairs_of_halves(batch: ProbeBatch) -> None:
    assert batch.laddr.tolist()[0] == list(halves("10.0.0.1"))
    assert batch.raddr.tolist()[0] == list(halves("2001:db8::1"))
    assert batch.laddr.shape == batch.raddr.shape == (3, 2)
