"""What the program prints now is what the golden files say."""

from __future__ import annotations

import json

import pytest

from tests.golden.cases import CAPTURES, FOLDER, Case, cases, outcomes

Outcomes = dict[Case, tuple[int, bytes]]

CASES = list(cases())


@pytest.fixture(scope="module")
def runs() -> Outcomes:
    """Every run, several at once."""
    return dict(outcomes(CASES))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_program_prints_what_the_golden_file_says(case: Case, runs: Outcomes) -> None:
    _, output = runs[case]
    assert output.decode() == (FOLDER / case.name).read_text(encoding="utf-8")


def test_a_capture_that_cannot_be_read_whole_ends_with_status_1(runs: Outcomes) -> None:
    manifest = json.loads((CAPTURES / "MANIFEST.json").read_text())
    for case, (status, _) in runs.items():
        truth = manifest[case.capture]
        unsupported = truth["verdicts"].get("unsupported link type", 0)
        incomplete = "cut_at" in truth or (unsupported and unsupported == truth["packets"])
        assert status == (1 if incomplete else 0), case.name


def test_every_golden_file_has_its_run() -> None:
    """Renamed or removed runs leave no file behind."""
    present = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("[!_]*/*")}
    assert present == {case.name for case in CASES}
