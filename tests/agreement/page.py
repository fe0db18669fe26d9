"""The tables of docs/agreement.md, made from what comparing came to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.agreement.comparing import Outcome
from tests.agreement.rules import (
    COUNT_RULES,
    IDLE,
    LENGTHS,
    MARK_RULES,
    CountRule,
    MarkRule,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "agreement.md"
TSHARK_RULES: tuple[MarkRule, ...] = MARK_RULES
TCPTRACE_RULES: tuple[MarkRule | CountRule, ...] = (*COUNT_RULES, IDLE, LENGTHS)

_SECTION = re.compile(r"<!-- begin (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def names() -> list[str]:
    """Every rule as outcomes name it."""
    return [f"tshark: {rule.name}" for rule in TSHARK_RULES] + [
        f"tcptrace: {rule.name}" for rule in TCPTRACE_RULES
    ]


def refreshed(text: str, corpus: Outcome, own: Outcome) -> str:
    """The text of the page as it should be."""
    parts = {
        "compared": list(_compared(corpus, own)),
        "tshark": list(_rules("tshark", TSHARK_RULES, corpus, own)),
        "tcptrace": list(_rules("tcptrace", TCPTRACE_RULES, corpus, own)),
    }

    def section(found: re.Match[str]) -> str:
        lines = [f"<!-- begin {found[1]} -->", *parts[found[1]], "<!-- end -->"]
        return "\n".join(lines)

    return _SECTION.sub(section, text)


def _compared(corpus: Outcome, own: Outcome) -> Iterator[str]:
    yield from ("| | corpus | `captures/` |", "| --- | ---: | ---: |")
    rows = (
        ("captures with segments that were compared", lambda each: len(each.captures)),
        ("segments", lambda each: each.segments),
        ("segments with data", lambda each: len(each.with_data)),
        ("directions of connections, compared with tshark", lambda each: each.directions),
        ("directions of connections, compared with tcptrace", lambda each: each.traced),
        ("segments that a rule explains", lambda each: len(each.segments_explained)),
        ("of these with data", lambda each: each.data_explained),
    )
    for title, count in rows:
        yield f"| {title} | {count(corpus):,} | {count(own):,} |"
    yield from ("", "| marked by both | corpus | `captures/` |", "| --- | ---: | ---: |")
    for mark in sorted(corpus.marks.keys() | own.marks.keys()):
        yield f"| {mark.replace('_', ' ')} | {corpus.marks[mark]:,} | {own.marks[mark]:,} |"


def _rules(
    program: str, rules: tuple[MarkRule | CountRule, ...], corpus: Outcome, own: Outcome
) -> Iterator[str]:
    yield "| rule | SEMANTICS | corpus | `captures/` | what it says |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for rule in rules:
        counts = (len(each.explained[f"{program}: {rule.name}"]) for each in (corpus, own))
        cells = " | ".join(f"{count:,}" for count in counts)
        text = rule.text.replace("|", r"\|")
        yield f"| {rule.name} | {rule.section} | {cells} | {text} |".replace("SYN|ACK", r"SYN\|ACK")
