"""Targets are judged by their bounds, and the page keeps what it is not told to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page
from bench.live import Load, dropped_by_kernel
from bench.memory import eviction_note
from bench.targets import Section, Target


@pytest.mark.parametrize(
    ("measured", "at_least", "at_most", "met"),
    [
        (0.5, 0.5, None, True),
        (0.49, 0.5, None, False),
        (400.0, None, 400.0, True),
        (400.1, None, 400.0, False),
        (float("nan"), 0.5, None, False),
        (float("nan"), None, 0.5, False),
    ],
)
def test_a_target_is_met_within_its_bound(
    measured: float, at_least: float | None, at_most: float | None, met: bool
) -> None:
    assert Target("speed", measured, at_least=at_least, at_most=at_most).met is met


def test_a_missed_target_stands_out_and_a_missed_aim_is_named_one() -> None:
    targets = [
        Target("a", 1, at_least=2),
        Target("b", 1, at_least=2, aim=True),
        Target("c", 1, at_most=1),
    ]
    lines = Section("speed", "Text.", targets).markdown().splitlines()
    assert lines[0] == "Text."
    assert [line.split(" | ")[-1] for line in lines[4:]] == [
        "**missed** |",
        "aim missed |",
        "met |",
    ]


def test_a_section_replaces_only_its_own() -> None:
    text = "a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb <!-- bench:y -->keep<!-- /bench:y -->\n"
    assert page.with_section(text, "x", "new\n") == text.replace("old", "new")


def test_a_page_without_the_section_is_an_error() -> None:
    with pytest.raises(ValueError, match="bench:z"):
        page.with_section("nothing", "z", "new")


def test_the_page_is_made_when_missing_and_then_kept(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "performance.md"
    page.write({"speed": "fast"}, path)
    path.write_text(path.read_text().replace("# Performance", "# How fast"))
    page.write({"live": "no drops"}, path)
    text = path.read_text()
    assert text.startswith("# How fast")
    assert "<!-- bench:speed -->\nfast\n<!-- /bench:speed -->" in text
    assert "<!-- bench:live -->\nno drops\n<!-- /bench:live -->" in text


def test_drops_are_read_from_the_words_of_tcpdump() -> None:
    said = "12 packets captured\n1050 packets received by filter\n1038 packets dropped by kernel\n"
    assert dropped_by_kernel(said) == 1038
    assert dropped_by_kernel("12 packets captured\n") is None


def test_the_share_of_drops_is_of_both_passes_over_the_loopback() -> None:
    assert Load(packets=100, seconds=2.0, dropped=50).drop_share == 0.25
    assert Load(packets=100, seconds=2.0, dropped=50).packets_per_second == 50


def test_eviction_is_quoted_from_the_notes() -> None:
    said = "5,000,000 packets read\n  4 connections evicted\n"
    assert eviction_note(said) == "4 connections evicted"
