"""What the program prints now is what the golden files say."""

from __future__ import annotations

import json

import pytest

from tests.golden.cases import CAPTURES, FOLDER, Case, cases, outcomes

Outcomes = dict[Case, tuple[int, bytes]]

CASES = list(cases())
# Text has every layout; the machine formats have the same rows, so they may take their time.
TEXTS = [case for case in CASES if case.format == "text"]
MACHINE = [case for case in CASES if case.format != "text"]


@pytest.fixture(scope="module")
def texts() -> Outcomes:
    """Every run that prints text, several at once."""
    return dict(outcomes(TEXTS))


@pytest.fixture(scope="module")
def machine() -> Outcomes:
    """The others."""
    return dict(outcomes(MACHINE))


def golden(case: Case) -> str:
    return (FOLDER / case.name).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case.name)
def test_the_program_prints_what_the_golden_file_says(case: Case, texts: Outcomes) -> None:
    assert texts[case][1].decode() == golden(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", MACHINE, ids=lambda case: case.name)
def test_machine_formats_are_what_the_golden_files_say(case: Case, machine: Outcomes) -> None:
    assert machine[case][1].decode() == golden(case)


def test_a_capture_that_cannot_be_read_whole_ends_with_status_1(texts: Outcomes) -> None:
    manifest = json.loads((CAPTURES / "MANIFEST.json").read_text())
    for case, (status, _) in texts.items():
        truth = manifest[case.capture]
        unsupported = truth["verdicts"].get("unsupported link type", 0)
        incomplete = "cut_at" in truth or (unsupported and unsupported == truth["packets"])
        assert status == (1 if incomplete else 0), case.name


def test_every_golden_file_has_its_run() -> None:
    """Renamed or removed runs leave no file behind."""
    present = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("[!_]*/*")}
    assert present == {case.name for case in CASES}
