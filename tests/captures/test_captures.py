"""The files of captures/ are what their generators make, and each is described."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from captures.make.__main__ import main
from captures.make.catalogue import HOME, all_captures, manifest, with_table

MADE = all_captures()
LARGEST = 100_000
NOT_MADE = {"README.md", "MANIFEST.json"}


def committed() -> dict[str, Path]:
    return {
        path.name: path
        for path in HOME.iterdir()
        if path.is_file() and path.suffix != ".py" and path.name not in NOT_MADE
    }


@pytest.mark.parametrize("name", MADE)
def test_regenerating_gives_the_very_bytes(name: str) -> None:
    assert (HOME / name).read_bytes() == MADE[name][1].content


def test_made_twice_is_made_the_same() -> None:
    assert {name: each.content for name, (_, each) in all_captures().items()} == {
        name: each.content for name, (_, each) in MADE.items()
    }


def test_no_file_without_a_generator_and_none_missing() -> None:
    assert committed().keys() == MADE.keys()


@pytest.mark.parametrize("name", MADE)
def test_small(name: str) -> None:
    assert (HOME / name).stat().st_size < LARGEST


def test_manifest_is_what_the_generators_state() -> None:
    assert (HOME / "MANIFEST.json").read_text(encoding="utf-8") == manifest(MADE)


def test_readme_table_is_what_the_generators_state() -> None:
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    assert with_table(readme, MADE) == readme


def test_each_file_has_one_row_that_names_an_existing_generator() -> None:
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `([^`]+)` \|.*\| `([a-z_0-9]+\.py)` \| MIT \|$", re.MULTILINE)
    rows = row.findall(readme)
    assert sorted(name for name, _ in rows) == sorted(committed())
    assert all((HOME / "make" / origin).is_file() for _, origin in rows)


def test_readme_explains_every_fact_of_the_manifest() -> None:
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    facts = {fact for truth in json.loads(manifest(MADE)).values() for fact in truth}
    assert [fact for fact in sorted(facts) if f"`{fact}`" not in readme] == []


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing.pcap"]) == 2
    assert "no such capture: nothing.pcap" in capsys.readouterr().err


def test_named_captures_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captures.make.__main__.HOME", tmp_path)
    assert main(["finger.pcap", "accepts.hosts"]) == 0
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {name: MADE[name][1].content for name in ("finger.pcap", "accepts.hosts")}


def test_all_captures_are_written_with_their_description(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "README.md").write_text("before\n<!-- begin table -->\n<!-- end table -->\nafter\n")
    monkeypatch.setattr("captures.make.__main__.HOME", tmp_path)
    assert main([]) == 0
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("before\n")
    assert readme.endswith("after\n")
    assert "| `finger.pcap` |" in readme
    assert {path.name for path in tmp_path.iterdir()} == MADE.keys() | NOT_MADE
