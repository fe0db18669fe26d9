"""A reporter's own options, from the fields of its dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tcpsnoop.cli.arguments import Parser, add_common_options
from tcpsnoop.cli.reporter_options import add_reporter_options, make_reporter
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.reporter import option


@dataclass
class Example:
    """A reporter with an option of each type."""

    by_port: bool = option(False, "whether", "-P")
    merged: bool = option(True, "whether not", "-n")  # a letter that is taken
    depth: int = option(3, "how deep")
    share: float = option(0.5, "how much")
    label: str = option("x", "what")
    kind: str = option("", "which", choices=("red", "green"))
    inner: int = field(default=7)


def made(*words: str) -> Example:
    parser = Parser(prog="tcpsnoop example")
    add_common_options(parser, ["text"])
    add_reporter_options(parser, "example", Example)
    example = make_reporter(Example, parser.parse_args(words))
    assert isinstance(example, Example)
    return example


def test_without_words_the_defaults_hold() -> None:
    assert made() == Example()


def test_each_field_is_an_option_of_its_name_and_type() -> None:
    words = [
        "--by-port",
        "--merged",
        "--depth",
        "9",
        "--share",
        "0.25",
        "--label",
        "y",
        "--kind",
        "red",
    ]
    assert made(*words) == Example(True, False, 9, 0.25, "y", "red")


def test_a_letter_of_its_own_but_none_that_is_taken() -> None:
    assert made("-P").by_port
    assert made("-n").merged, "-n means the same in every report"


def test_a_field_without_help_is_no_option() -> None:
    with pytest.raises(UsageError, match="--inner"):
        made("--inner", "1")


@pytest.mark.parametrize(
    "words", [["--depth", "0"], ["--depth", "x"], ["--share", "much"], ["--kind", "blue"]]
)
def test_values_are_checked(words: list[str]) -> None:
    with pytest.raises(UsageError, match=words[0]):
        made(*words)


def test_several_reports_have_none() -> None:
    """Nothing was added, so the defaults hold."""
    parser = Parser(prog="tcpsnoop several")
    assert make_reporter(Example, parser.parse_args([])) == Example()
