"""What a benchmark found, and whether it is what was asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A measured number beside its one bound; not a number misses."""

    what: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"
    aim: bool = False
    """Wished for, not required."""

    @property
    def met(self) -> bool:
        """Whether the number is within its bounds."""
        low = self.at_least is None or self.measured >= self.at_least
        high = self.at_most is None or self.measured <= self.at_most
        return low and high and self.measured == self.measured

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}"
        return f"≤ {self.at_most:g} {self.unit}"


@dataclass(frozen=True)
class Section:
    """The part of docs/performance.md that one benchmark writes."""

    name: str
    text: str
    targets: Sequence[Target]

    def markdown(self) -> str:
        """The text, then the table of targets."""
        rows = [
            (each.what, each.bound, f"{each.measured:.2f} {each.unit}", _verdict(each))
            for each in self.targets
        ]
        return f"{self.text}\n\n{table(('target', 'asked', 'measured', ''), rows)}"


def paragraph(template: str, **values: object) -> str:
    """The template with its values, in lines of the usual length."""
    return textwrap.fill(template.format(**values), 98, break_on_hyphens=False)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers, at the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def _verdict(target: Target) -> str:
    if target.met:
        return "met"
    return "aim missed" if target.aim else "**missed**"
