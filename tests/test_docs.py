"""The documentation shows what the program prints now, and docs/refresh.py notices when not."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFRESH = ROOT / "docs" / "refresh.py"


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    """docs/refresh.py as a module; it is a script and in no package."""
    spec = importlib.util.spec_from_file_location("refresh", REFRESH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A README of a tree of its own, in which `tcpsnoop` prints its arguments."""
    package = tmp_path / "tcpsnoop"
    package.mkdir()
    (package / "__main__.py").write_text("import sys\nprint('ran', *sys.argv[1:])\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "example.py").write_text("answer = 42\n")
    return tmp_path / "README.md"


@pytest.mark.slow
def test_the_documentation_does_not_drift() -> None:
    command = [sys.executable, str(REFRESH), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_output_that_is_not_the_programs_is_found_and_replaced(
    refresh: ModuleType, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = "```console\n$ tcpsnoop a -b\nran a -b\n$ tcpsnoop c | tr a-z A-Z\nRAN C\n```\n"
    page.write_text(right)
    assert refresh.main(page.parent, check=True) == 0
    page.write_text(right.replace("ran a", "told a").replace("RAN C\n", ""))
    before = page.read_text()
    assert refresh.main(page.parent, check=True) == 1
    assert "-told a -b" in capsys.readouterr().out
    assert page.read_text() == before, "a check writes nothing"
    refresh.main(page.parent, check=False)
    assert page.read_text() == right


def test_what_is_no_command_of_ours_is_left_alone(refresh: ModuleType, page: Path) -> None:
    text = "```console\n# tcpsnoop io\nneeds root\n$ ls /\nbin\n```\n\n```sh\n$ tcpsnoop a\n```\n"
    page.write_text(text)
    assert refresh.main(page.parent, check=True) == 0


def test_sections_are_taken_from_files(refresh: ModuleType, page: Path) -> None:
    page.write_text("<!-- begin file example.py -->\nold\n<!-- end -->\n")
    refresh.main(page.parent, check=False)
    assert page.read_text() == (
        "<!-- begin file example.py -->\n```python\nanswer = 42\n```\n<!-- end -->\n"
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "reporters").glob("*.md")), ids=lambda path: path.name
)
def test_a_reporters_page_has_its_parts(path: Path) -> None:
    text = path.read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "What it answers",
        "Example",
        "Caveats and cost",
        "Columns",
        "Options",
        "See also",
    ]
    assert f"$ tcpsnoop {path.stem} " in text
    assert f"<!-- begin columns {path.stem} -->" in text
    assert f"<!-- begin options {path.stem} -->" in text


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []
