"""Captures that are damaged, in whole runs: what is reported, and where the damage is told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.fixture_types import Capture, RunTcpsnoop

ROOT = Path(__file__).resolve().parents[2]
TRUTH = json.loads((ROOT / "captures" / "MANIFEST.json").read_text(encoding="utf-8"))
DAMAGED = sorted(name for name in TRUTH if name.startswith("damaged"))


def test_there_are_such_captures() -> None:
    assert {name.rpartition(".")[2] for name in DAMAGED} == {"pcapng", "snoop"}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("way", ["file", "pipe", "compressed"])
def test_all_that_can_be_read_is_reported_and_the_damage_told(
    run_program: RunTcpsnoop, capture: Capture, name: str, way: str, tmp_path: Path
) -> None:
    path, truth = capture(name), TRUTH[name]
    stdin = None
    if way == "pipe":
        stdin, path = path.read_bytes(), Path("-")
    elif way == "compressed":
        path = tmp_path / name
        path.write_bytes(gzip.compress(capture(name).read_bytes()))
    done = run_program("io", "-n", "--format", "jsonl", "-r", path, stdin=stdin)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [row["packet"] for row in rows] == list(range(1, truth["tcp_segments"] + 1))
    assert sum(row["bytes"] for row in rows) == truth["payload_bytes"]
    (told,) = (line for line in done.stderr.splitlines() if "is damaged at byte" in line)
    suffix = " of the gzip content" if way == "compressed" else ""
    assert f"is damaged at byte {truth['cut_at']}{suffix}: " in told
    if "read_on_at" in truth:
        assert told.endswith(f"the section that begins at byte {truth['read_on_at']}{suffix}")
