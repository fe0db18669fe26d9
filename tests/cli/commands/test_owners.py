"""`tcpsnoop owners`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.cli.commands.owners import run
from tcpsnoop.errors import UsageError
from tcpsnoop.owners.tracing.formats import find_tracefs


def test_something_must_be_asked_for() -> None:
    with pytest.raises(UsageError, match="--prepare"):
        run([], lambda line: None)


@pytest.mark.root
def test_prepare_says_where_it_wrote(tmp_path: Path) -> None:
    if find_tracefs() is None:
        pytest.skip("tracefs is not mounted")
    said: list[str] = []
    path = tmp_path / "tracepoints.json"
    assert run(["--prepare", "--tracepoints", str(path)], said.append) == 0
    assert said == [f"wrote {path}"]
    assert path.is_file()
