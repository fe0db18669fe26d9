"""Leaving the kernel's tracepoints for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.engine.preparing import prepare
from tcpsnoop.errors import UsageError
from tcpsnoop.owners.tracing import formats
from tcpsnoop.owners.tracing.formats import find_tracefs, load_tracepoints, read_tracepoints


def test_without_tracefs_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "TRACEFS", ())
    with pytest.raises(UsageError, match="mount -t tracefs"):
        prepare()


@pytest.mark.root
def test_what_is_written_is_what_tracefs_says(tmp_path: Path) -> None:
    if find_tracefs() is None:
        pytest.skip("tracefs is not mounted")
    path = tmp_path / "tracepoints.json"
    assert prepare(str(path)) == path
    assert load_tracepoints(path) == read_tracepoints()
    with pytest.raises(UsageError, match="nowhere"):
        prepare("/nowhere/at/all")
