"""Any byte of any small capture changed, removed or doubled.

Nothing raises but the refusal of what is no capture, every packet has one verdict, and compiled
and interpreted kernels have the same rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpsnoop.batches.probes import PROBE_ROW, PROBES
from tcpsnoop.batches.verdicts import TCP
from tests.mutations import CHANGES, Mutation, Outcome, outcome, small_captures

ROOT = Path(__file__).resolve().parents[1]
CONTENTS = {path.name: path.read_bytes() for path in small_captures()}

PACKET, PROBE = (list(PROBE_ROW.names or ()).index(name) for name in ("packet", "probe"))
EVERY_SEGMENT = {PROBES[name].number for name in ("send", "receive")}

mutations = st.sampled_from(sorted(CONTENTS)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.lists(
            st.builds(
                Mutation,
                st.integers(0, len(CONTENTS[name]) - 10),
                st.integers(1, 255) | st.sampled_from(["removed", "doubled"]),
            ),
            min_size=1,
            max_size=3,
        ),
    )
)


def check(found: Outcome) -> None:
    """What must be true of every capture."""
    if found.refused is not None:
        assert "\n" not in found.refused
        return
    assert sum(count for _, count in found.verdicts) == found.packets
    segments = {row[PACKET] for row in found.rows if row[PROBE] in EVERY_SEGMENT}
    assert len(segments) == sum(count for verdict, count in found.verdicts if verdict == TCP)
    assert all(1 <= packet <= found.packets for packet in segments)


def test_there_are_captures_of_every_format() -> None:
    assert {name.rpartition(".")[2] for name in CONTENTS} >= {"pcap", "pcapng", "snoop", "gz"}
    assert len(CONTENTS) > 50


@given(mutations)
@settings(max_examples=300)
def test_a_few_bytes_anywhere(mutated: tuple[str, list[Mutation]]) -> None:
    name, changes = mutated
    content = CONTENTS[name]
    for change in changes:
        content = change.of(content)
    check(outcome(content))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_every_byte_in_every_way(name: str) -> None:
    content = CONTENTS[name]
    for at in range(len(content)):
        for change in (CHANGES[at % len(CHANGES)], "removed", "doubled"):
            check(outcome(Mutation(at, change).of(content)))


def shown(count: int) -> dict[str, list[str]]:
    """What `python -m tests.mutations` prints, with kernels compiled and interpreted."""
    lines = {}
    for interpret in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "tests.mutations", str(count)],
            cwd=ROOT,
            env={**os.environ, "TCPSNOOP_INTERPRET": interpret},
            capture_output=True,
            check=True,
            text=True,
        )
        lines[interpret] = done.stdout.splitlines()
    return lines


@pytest.mark.parametrize(
    "count", [200, pytest.param(5000, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_compiled_and_interpreted_kernels_have_the_same_rows(count: int) -> None:
    lines = shown(count)
    assert len(lines["0"]) >= count
    assert lines["0"] == lines["1"]
