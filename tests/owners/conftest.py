"""What tests of owners share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.owners.proc_tree import Clock, ProcTree


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    """A stored /proc with process 1 and no sockets."""
    return ProcTree(tmp_path / "proc")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()
