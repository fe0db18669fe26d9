"""The kernel's record first, then /proc."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcpsnoop.batches.owners import EXACT, HOLDER
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import ORIGINATOR
from tcpsnoop.owners.merged import Merged
from tcpsnoop.owners.procfs import Procfs
from tests.owners.proc_tree import AFTER_ANY_LOOK, Clock, ProcTree, Row, seen
from tests.owners.tracing.story import HERE, THERE, Story, packet

OTHER = ("127.0.0.1", 40001)


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    tree = ProcTree(tmp_path / "proc")
    tree.table(Row(HERE, THERE, 500), Row(OTHER, THERE, 501))
    tree.process(30, "both", [500, 501])
    return tree


def batch() -> ProbeBatch:
    """A packet whose process the story knows, and one that only /proc shows."""
    rows = np.concatenate([packet(50), seen(2, ORIGINATOR, OTHER, THERE, time_ns=AFTER_ANY_LOOK)])
    return ProbeBatch(rows)


def test_what_tracing_knows_is_not_asked_elsewhere(proc: ProcTree) -> None:
    story = Story()
    story.process(100, "curl")
    story.connect(10, 100, 1, (HERE, THERE))
    story.happen()
    clock = Clock()
    procfs = Procfs(clock.nanoseconds, proc.root, clock, pool=story.pool)
    merged = Merged(story.pool, procfs, story.traced)
    assert merged.late
    merged.see(batch())
    columns = merged.label(batch())
    owners = [columns.pool[code] for code in columns.index.tolist()]
    assert [owner.quality for owner in owners] == [EXACT, HOLDER]
    assert [owner.process and owner.process.pid for owner in owners] == [100, 30]
    assert (
        merged.summary()[:3]
        == [
            "owners: story, then procfs, 2 connection ends: exact 50.0 %, holder 50.0 %",
            "owners: no event lost",
        ][:3]
    )
    story.lose(90, 12)
    story.happen()
    assert "owners: 12 events lost: connections of then may be unknown" in merged.summary()
    merged.close()
    merged.close()


def test_without_tracing_the_reason_is_told(proc: ProcTree) -> None:
    story, clock = Story(), Clock()
    procfs = Procfs(clock.nanoseconds, proc.root, clock, pool=story.pool)
    merged = Merged(story.pool, procfs, None, "because")
    assert not merged.late
    columns = merged.label(batch())
    assert columns.pool[columns.index[1]].quality == HOLDER
    assert "owners: no kernel tracing: because" in merged.summary()
