"""The same captures by tshark and tcptrace: alike, or different by a rule that says why.

`docs/agreement.md` tells what is compared, and holds the rules with the number of segments each
explains; `python -m tests.agreement` writes it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agreement.comparing import Outcome, compare_captures, compare_corpus
from tests.agreement.page import PAGE, TCPTRACE_RULES, TSHARK_RULES, names, refreshed
from tests.conftest import ROOT
from tests.fixture_types import Compared

pytestmark = [pytest.mark.slow, pytest.mark.program("tshark", "tcptrace")]

# Together the rules explain no larger part of the segments with data.
LARGEST_SHARE = 0.03


@pytest.fixture(scope="module")
def of_corpus(corpus: Path) -> Outcome:
    """What comparing the corpus came to."""
    return compare_corpus(corpus)


@pytest.fixture(scope="module")
def of_captures() -> Outcome:
    """What comparing this project's captures came to."""
    return compare_captures(ROOT / "captures")


def test_the_corpus_is_explained(of_corpus: Outcome, compared: Compared) -> None:
    assert not of_corpus.wrong, "\n".join(of_corpus.wrong[:50])
    for name in of_corpus.captures:
        compared(name)
    # So that nothing is compared by mistake without anybody noticing.
    assert len(of_corpus.captures) > 75
    assert len(of_corpus.with_data) > 13_000
    assert of_corpus.directions > 1_200
    assert of_corpus.traced > 1_700
    assert of_corpus.marks["retransmission"] > 150
    assert of_corpus.marks["duplicate_ack"] > 150


def test_our_captures_are_explained(of_captures: Outcome) -> None:
    assert not of_captures.wrong, "\n".join(of_captures.wrong[:50])
    assert len(of_captures.captures) > 60
    assert of_captures.directions > 300
    assert of_captures.traced > 200


def test_every_rule_explains_something(of_corpus: Outcome, of_captures: Outcome) -> None:
    assert len(TSHARK_RULES) <= 12
    assert len(TCPTRACE_RULES) <= 8
    idle = [name for name in names() if not of_corpus.explained[name] | of_captures.explained[name]]
    assert idle == []


def test_the_rules_explain_little(of_corpus: Outcome, of_captures: Outcome) -> None:
    explained = of_corpus.data_explained + of_captures.data_explained
    assert explained <= LARGEST_SHARE * (len(of_corpus.with_data) + len(of_captures.with_data))
    assert len(of_corpus.segments_explained) <= LARGEST_SHARE * len(of_corpus.with_data)


def test_the_page_does_not_drift(of_corpus: Outcome, of_captures: Outcome) -> None:
    text = PAGE.read_text("utf-8")
    assert refreshed(text, of_corpus, of_captures) == text, "run `python -m tests.agreement`"
