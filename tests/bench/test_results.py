"""Targets are judged by their bounds, and the page keeps what it is not told to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page
from bench.attribution import LIFE, NOTHING, _cost, _slowdown
from bench.capturing import has_lost
from bench.live import Load, dropped_by_kernel
from bench.memory import eviction_note
from bench.swarms import Burst
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


def test_the_share_of_drops_is_of_what_the_kernel_handed_over() -> None:
    assert Load(packets=100, seconds=2.0, dropped=50).drop_share == 0.5
    assert Load(packets=100, seconds=2.0, dropped=50, copies=2).drop_share == 0.25
    assert Load(packets=100, seconds=2.0, dropped=50).packets_per_second == 50


def test_eviction_is_quoted_from_the_notes() -> None:
    said = "5,000,000 packets read\n  4 connections evicted\n"
    assert eviction_note(said) == "4 connections evicted"


def test_a_capture_that_lost_something_is_not_measured() -> None:
    fine = "5 packets read\n0 packets dropped by kernel\nowners: no event lost\n"
    assert not has_lost(fine)
    assert not has_lost(fine.replace("owners: no event lost\n", ""))  # it names nobody
    assert has_lost(fine.replace("0 packets dropped", "10 packets dropped"))
    assert has_lost(fine.replace("no event lost", "1,234 events lost: connections of then"))


def test_the_slowdown_is_that_of_a_round_and_the_cost_a_median() -> None:
    bursts = {
        NOTHING: [Burst(1.0, 0.0, 3.0), Burst(4.0, 0.0, 3.0), Burst(2.0, 0.0, 3.0)],
        LIFE: [Burst(1.1, 0.2, 3.0), Burst(4.8, 0.1, 3.0), Burst(2.0, 9.0, 3.0)],
    }
    assert _slowdown(bursts, LIFE) == pytest.approx(0.1)
    assert _cost(bursts[LIFE], 1000) == pytest.approx(200)


def test_sections_go_to_their_pages_and_the_machine_to_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = tmp_path / "performance.md", tmp_path / "owners.md"
    first.write_text(page.SKELETON)
    other.write_text("<!-- bench:attribution -->\n<!-- /bench:attribution -->\n")
    monkeypatch.setattr(page, "PAGE", first)
    monkeypatch.setattr(page, "ELSEWHERE", {"attribution": other})
    page.write_all({"machine": "ours", "attribution": "cheap"})
    assert first.read_text() == page.SKELETON
    assert "cheap" in other.read_text()
    page.write_all({"machine": "ours", "speed": "fast"})
    assert "ours" in first.read_text()
    assert "fast" in first.read_text()
