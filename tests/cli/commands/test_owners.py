"""`tcpsnoop owners`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.cli.commands.owners import run
from tcpsnoop.errors import UsageError
from tcpsnoop.owners.tracing.formats import find_tracefs


def test_something_must_be_asked_for() -> None:
    with pytest.raises(UsageError, match="--prepare --journal"):
        run([], lambda line: None)
    with pytest.raises(UsageError, match="not allowed with"):
        run(["--prepare", "--journal", "x"], lambda line: None)


@pytest.mark.parametrize("words", [["-d", "1"], ["--force"], ["--no-tracing"], ["-q"]])
def test_what_is_for_journals_alone(words: list[str]) -> None:
    with pytest.raises(UsageError, match="it is for --journal"):
        run(["--prepare", *words], lambda line: None)


def test_a_journal_is_written_for_a_while(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "j"
    assert run(["--journal", str(path), "-d", "0.1", "--no-tracing"], print) == 0
    assert path.read_bytes().startswith(b'{"tcpsnoop_journal":1,"program":"tcpsnoop ')
    notes = capfd.readouterr().err
    assert notes.startswith("Recording... Hit Ctrl-C to end.\nowners: no kernel tracing: --no-trac")
    with pytest.raises(UsageError, match="exists"):
        run(["--journal", str(path)], print)
    assert run(["--journal", "-", "-d", "0.1", "--no-tracing", "-q"], print) == 0
    said = capfd.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[-1].startswith('{"end":')


@pytest.mark.root
def test_prepare_says_where_it_wrote(tmp_path: Path) -> None:
    if find_tracefs() is None:
        pytest.skip("tracefs is not mounted")
    said: list[str] = []
    path = tmp_path / "tracepoints.json"
    assert run(["--prepare", "--tracepoints", str(path)], said.append) == 0
    assert said == [f"wrote {path}"]
    assert path.is_file()
