"""The best lookup there is, and why it is no better."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tcpsnoop.owners.opening import open_lookup
from tests.owners.proc_tree import system_time_ns


def test_tracing_can_be_left_out() -> None:
    lookup = open_lookup(system_time_ns, tracing=False)
    assert not lookup.late
    assert "owners: no kernel tracing: --no-tracing" in lookup.summary()
    lookup.close()


def test_the_reason_is_in_the_notes(tmp_path: Path) -> None:
    lookup = open_lookup(system_time_ns, tracepoints=tmp_path / "none")
    assert not lookup.late
    assert any("owners --prepare" in line for line in lookup.summary())
    lookup.close()


@pytest.mark.root
def test_root_has_the_kernel_s_record_and_leaves_its_numbers_for_others() -> None:
    lookup = open_lookup(system_time_ns)
    notes = list(lookup.summary())
    lookup.close()
    if not lookup.late:
        pytest.skip(f"no tracing here: {notes}")
    assert "owners: no event lost" in notes
    assert os.stat("/run/tcpsnoop/tracepoints.json").st_uid == 0
