"""The table of probes: one truth for kernels, lists and documentation."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches import probes
from tcpsnoop.batches.probes import CLOSED_ROW, COMMON_FIELDS, DETAIL, PROBE_ROW, PROBES

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
