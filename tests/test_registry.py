"""Plug-ins by name: listed without importing, loaded when chosen, and clear about what fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from tcpsnoop import registry
from tcpsnoop.errors import UsageError
from tcpsnoop.registry import RENDERERS, REPORTERS

ROOT = Path(__file__).resolve().parent.parent

Given = Callable[..., None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Iterator[Given]:
    """Makes these the entry points of reporters: `name=module:attribute`."""

    def give(**values: str) -> None:
        points = EntryPoints(EntryPoint(name, value, REPORTERS) for name, value in values.items())
        monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
        registry._found.cache_clear()

    yield give
    registry._found.cache_clear()


def test_names_are_those_of_the_installed_packages() -> None:
    assert {"accept", "connect", "io", "wdist"} <= set(registry.names(REPORTERS))
    assert {"csv", "jsonl", "text"} <= set(registry.names(RENDERERS))
    assert registry.names(REPORTERS) == sorted(registry.names(REPORTERS))


def test_nothing_is_imported_to_list_names_and_summaries() -> None:
    program = (
        "import sys; from tcpsnoop import registry as r\n"
        "print([r.summary(r.REPORTERS, name) for name in r.names(r.REPORTERS)])\n"
        "print('numpy' in sys.modules, 'tcpsnoop.reporters.io' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    summaries, imported = done.stdout.splitlines()
    assert "''" not in summaries
    assert imported == "False False"


def test_what_is_chosen_is_loaded() -> None:
    assert registry.load(REPORTERS, "io").__name__ == "Io"


def test_a_name_that_is_not_there(given: Given) -> None:
    given(mine="tests.test_registry:ROOT", other="x:y")
    with pytest.raises(UsageError, match="there is no 'nine'; there are mine, other"):
        registry.load(REPORTERS, "nine")


@pytest.mark.parametrize("value", ["no.such.module:Name", "tests.test_registry:NoSuchName"])
def test_one_that_does_not_load_says_which_and_why(given: Given, value: str) -> None:
    given(mine=value)
    with pytest.raises(UsageError, match=r"mine \(.*\) does not load: \w+Error"):
        registry.load(REPORTERS, "mine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"""What it shows.\n\nMore."""\n', "What it shows"),
        ('"""What it shows."""\n', "What it shows"),
        ("'''\n  What it shows\n'''\n", "What it shows"),
        ('#!/usr/bin/env python\n# words\n\nr"""What it shows."""\n', "What it shows"),
        ("x = 1\n", ""),
        ("", ""),
    ],
)
def test_the_summary_is_the_first_line_of_the_docstring(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "module_of_a_test.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    given(mine="module_of_a_test:Name")
    assert registry.summary(REPORTERS, "mine") == expected


def test_a_module_that_is_not_there_has_no_summary(given: Given) -> None:
    given(mine="no.such.module:Name")
    assert registry.summary(REPORTERS, "mine") == ""
