"""The table of probes: one truth for kernels, lists and documentation; and parts of a batch."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.batches import probes
from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import HOLDER, Owner, Process
from tcpsnoop.batches.probes import CLOSED_ROW, COMMON_FIELDS, DETAIL, PROBE_ROW, PROBES
from tests.probe_batches import batch_of, row

# The probes of the first stage, as the issue names them.
BUILT = {
    "send",
    "receive",
    "connect-request",
    "connect-established",
    "connect-refused",
    "accept-established",
    "accept-refused",
    "write",
    "closed",
    "duplicate-frame",
}

# The fields of every probe row, as the design names them, and the frame that snoop shows.
COMMON = """
    packet time_ns connection end laddr lport raddr rport direction bytes frame_bytes flags
    duplicate pid command uid attribution
"""


def test_the_table_has_what_the_specification_names() -> None:
    assert set(PROBES) >= BUILT
    assert [field.name for field in COMMON_FIELDS] == COMMON.split()
    assert all(name == probe.name for name, probe in PROBES.items())


def test_numbers_are_different_and_those_that_kernels_use() -> None:
    numbers = [probe.number for probe in PROBES.values()]
    assert len(set(numbers)) == len(numbers)
    for probe in PROBES.values():
        assert getattr(probes, probe.name.upper().replace("-", "_")) == probe.number
        assert probe.number <= np.iinfo(PROBE_ROW["probe"]).max


def test_what_a_probe_adds_is_in_its_rows() -> None:
    own = {field.name for field in PROBES["closed"].fields}
    assert set(CLOSED_ROW.names or ()) == own
    columns = {*(DETAIL.names or ()), "sender"}  # an address is two columns
    for name, probe in PROBES.items():
        if name != "closed":
            assert {field.name for field in probe.fields} <= columns


@pytest.fixture
def batch() -> probes.ProbeBatch:
    """Three rows of two probes, with owners."""
    rows = [
        row("send", "10.0.0.1 80", "2001:db8::1 9", packet=1),
        row("write", "10.0.0.2 80", "10.0.0.9 9", packet=2),
        row("send", "10.0.0.3 80", "10.0.0.9 9", packet=3),
    ]
    return batch_of(rows, [Owner(HOLDER, Process(number, 1, "x")) for number in (7, 8, 9)])


def test_what_fired_is_the_probe_of_each_row(batch: probes.ProbeBatch) -> None:
    assert batch.fired.tolist() == [probes.SEND, probes.WRITE, probes.SEND]
    assert batch.take(np.array([1])).fired.tolist() == [probes.WRITE]


def test_chosen_rows_keep_their_owners(batch: probes.ProbeBatch) -> None:
    chosen = batch.take(np.array([2, 0]))
    owners = [chosen.owners.pool[code] for code in chosen.owners.indices(len(chosen)).tolist()]
    assert [owner.process and owner.process.pid for owner in owners] == [9, 7]


def test_addresses_are_pairs_of_halves(batch: probes.ProbeBatch) -> None:
    assert batch.laddr.tolist()[0] == list(halves("10.0.0.1"))
    assert batch.raddr.tolist()[0] == list(halves("2001:db8::1"))
    assert batch.laddr.shape == batch.raddr.shape == (3, 2)
