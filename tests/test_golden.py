"""What the program prints now is what the golden files say."""

from __future__ import annotations

import json

import pytest

from tests.golden.cases import CAPTURES, FOLDER, Case, cases, outcomes

Outcomes = dict[Case, tuple[int, bytes]]

CASES = list(cases())
# One run of each report and of each of its options, as text; the others may take their time.
QUICK = list(
    {(case.reporter, case.options): case for case in CASES if case.format == "text"}.values()
)
SLOW = [case for case in CASES if case not in QUICK]


@pytest.fixture(scope="module")
def quick() -> Outcomes:
    """The quick runs, several at once."""
    return dict(outcomes(QUICK))


@pytest.fixture(scope="module")
def slow() -> Outcomes:
    """The others."""
    return dict(outcomes(SLOW))


def golden(case: Case) -> str:
    return (FOLDER / case.name).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_the_program_prints_what_the_golden_file_says(case: Case, quick: Outcomes) -> None:
    assert quick[case][1].decode() == golden(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=lambda case: case.name)
def test_the_other_runs_do_so_too(case: Case, slow: Outcomes) -> None:
    assert slow[case][1].decode() == golden(case)


@pytest.mark.slow
def test_a_capture_that_cannot_be_read_whole_ends_with_status_1(slow: Outcomes) -> None:
    manifest = json.loads((CAPTURES / "MANIFEST.json").read_text())
    for case, (status, _) in slow.items():
        truth = manifest[case.capture]
        unsupported = truth["verdicts"].get("unsupported link type", 0)
        incomplete = "cut_at" in truth or (unsupported and unsupported == truth["packets"])
        assert status == (1 if incomplete else 0), case.name


def test_every_golden_file_has_its_run() -> None:
    """Renamed or removed runs leave no file behind."""
    present = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("[!_]*/*")}
    assert present == {case.name for case in CASES}
