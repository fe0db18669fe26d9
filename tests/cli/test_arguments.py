"""Values of options: what they may be, and how a wrong one is told."""

from __future__ import annotations

import pytest

from tcpsnoop.cli.arguments import Parser, add_common_options
from tcpsnoop.errors import UsageError

# The options of DESIGN 4 that every report has, as its table lists them.
OPTIONS = """
    -r --read -i --interface -n --numeric --hosts --resolve -t -T -c --count -d --duration
    --interval --intervals --local -p --pid --command --uid --cgroup --top --sort
    --max-connections --format -o --output --owners --hold --no-tracing --tracepoints
    --force --no-header -s --snaplen -B --buffer-size --no-promiscuous -Z -q --quiet
"""


@pytest.fixture
def parser() -> Parser:
    """The options that every report has."""
    made = Parser(prog="tcpsnoop x")
    add_common_options(made, ["text", "jsonl"])
    return made


def test_the_table_of_options_is_that_of_the_design(parser: Parser) -> None:
    known = set(parser._option_string_actions) - {"-h", "--help"}
    assert known == set(OPTIONS.split())


@pytest.mark.parametrize(
    ("option", "right", "wrong"),
    [
        ("count", {"1": 1, "007": 7}, ["0", "-1", "1.5", "x", ""]),
        ("snaplen", {"0": 0, "262144": 262144}, ["-1", "262145", "1.5", "x", ""]),
        ("max-connections", {"1": 1, "67108864": 2**26}, ["0", "67108865", "9" * 30, "x"]),
        ("hold", {"0": 0.0, "50": 50.0, "10000": 1e4}, ["-1", "10001", "nan", "x", ""]),
        ("duration", {"1": 1.0, "0.25": 0.25}, ["0", "-1", "1e300", "inf", "nan", "x", ""]),
    ],
)
def test_numbers(parser: Parser, option: str, right: dict[str, float], wrong: list[str]) -> None:
    for text, value in right.items():
        arguments = vars(parser.parse_args([f"--{option}={text}"]))
        assert arguments[option.replace("-", "_")] == value
    for text in wrong:
        with pytest.raises(UsageError, match=f"--{option}: invalid .*number.*{text!r}"):
            parser.parse_args([f"--{option}={text}"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-c", "0"], "-c/--count: invalid whole number above 0 value: '0'"),
        (["-d", "soon"], "-d/--duration: invalid number of seconds value: 'soon'"),
        (["-s", "-1"], "-s/--snaplen"),
        (["--format", "xml"], "--format: invalid choice: 'xml'"),
        (["-t", "-T"], "-T: not allowed with argument -t"),
        (["-o"], "-o/--output: expected one argument"),
        (["-q=1"], "-q"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_option(
    parser: Parser, words: list[str], told: str
) -> None:
    with pytest.raises(UsageError) as raised:
        parser.parse_args(words)
    assert told in str(raised.value)
    assert str(raised.value).endswith("; see tcpsnoop x --help")
    assert "\n" not in str(raised.value)


def test_options_are_not_guessed_from_their_beginning(parser: Parser) -> None:
    arguments, rest = parser.parse_known_args(["--form", "text"])
    assert arguments.format == "text"
    assert rest == ["--form", "text"]


def test_some_options_repeat(parser: Parser) -> None:
    words = "-r a -r b --local 10.0.0.0/8 --local ::1 -p 1 -p 2 --command x --command y"
    arguments = parser.parse_args(words.split())
    assert arguments.read == ["a", "b"]
    assert arguments.local == ["10.0.0.0/8", "::1"]
    assert arguments.pid == [1, 2]
    assert arguments.command == ["x", "y"]


def test_every_option_is_explained(parser: Parser) -> None:
    for action in parser._actions:
        assert action.help, action.option_strings
