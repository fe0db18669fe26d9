"""The rules of docs/architecture.md that a program can check.

Imports, sizes, files that belong together. The contracts themselves stand in setup.cfg; here
they are run, and run again over planted violations: a contract that cannot break checks nothing.
"""

from __future__ import annotations

import ast
import configparser
import io
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.fixture_types import Notice

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tcpsnoop"

FILE_LINES, FILE_LINES_AS_A_RULE = 400, 200
FUNCTION_LINES = 60

# Tables of data are as long as the data; nothing else belongs here.
DATA_TABLES: dict[str, str] = {}

# Modules without a test file of their own, each with the reason. It may only shrink: an entry whose
# test exists, or whose module is gone, fails.
WITHOUT_OWN_TEST: dict[str, str] = {
    "__main__.py": "every whole run in the tests goes through it",
    "interfaces/source.py": "a Protocol without code; mypy checks those who fulfil it",
    "interfaces/reporter.py": "a Protocol without code; mypy checks those who fulfil it",
    "interfaces/renderer.py": "a Protocol without code; mypy checks those who fulfil it",
    "owners/tracing/events.py": "one dtype without code; test_decoding_kernel and others fill it",
    "interfaces/owner_lookup.py": "a Protocol without code; mypy checks those who fulfil it",
    "dissect/numbers.py": "numbers alone; the tests of each header have them from its standard",
}

# For each contract of setup.cfg an import that must break it: importer, imported.
PLANTED = {
    "layers": ("tcpsnoop.batches.planted", "tcpsnoop.engine"),
    "reporters": ("tcpsnoop.reporters.planted", "tcpsnoop.reporters.io"),
    "renderers": ("tcpsnoop.renderers.planted", "tcpsnoop.renderers.text"),
    "cycles": ("tcpsnoop.accumulate.planted", "tcpsnoop.accumulate.planted_too"),
    "cli-is-the-top": ("tcpsnoop.engine.planted", "tcpsnoop.cli.main"),
    "engine-for-cli": ("tcpsnoop.engine.planted", "tcpsnoop.registry"),
    "stages-for-engine": ("tcpsnoop.dissect.planted", "tcpsnoop.provider"),
    "accumulate-for-reporters": ("tcpsnoop.provider.planted", "tcpsnoop.accumulate"),
    "interfaces-for-plugins": ("tcpsnoop.accumulate.planted", "tcpsnoop.interfaces"),
    "batches-for-stages": ("tcpsnoop.accumulate.planted", "tcpsnoop.batches"),
    "report-for-makers-and-drawers": ("tcpsnoop.owners.planted", "tcpsnoop.report"),
    "kernel-for-sequential-work": ("tcpsnoop.reporters.planted", "tcpsnoop.kernel"),
    "formatting-for-renderers": ("tcpsnoop.reporters.planted", "tcpsnoop.formatting"),
    "pcapy": ("tcpsnoop.engine.planted", "pcapy"),
    "scapy": ("tcpsnoop.engine.planted", "scapy"),
    "tabulate": ("tcpsnoop.engine.planted", "tabulate"),
    "rich": ("tcpsnoop.renderers.planted", "rich"),
    "numba": ("tcpsnoop.engine.planted", "numba"),
    "argparse": ("tcpsnoop.engine.planted", "argparse"),
}


@cache
def settings() -> configparser.ConfigParser:
    """setup.cfg."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg")
    return parser


def entry_points(group: str) -> dict[str, str]:
    """Name → `module:class` of a group, as setup.cfg has it."""
    lines = settings()["options.entry_points"][group].strip().splitlines()
    pairs = (line.split("=", 1) for line in lines)
    return {name.strip(): target.strip() for name, target in pairs}


@cache
def tracked_files() -> tuple[Path, ...]:
    """The files of the project: what git tracks, and what it would if added."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout")
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = sorted(set(listed.split("\0")) - {""})
    return tuple(path for name in names if (path := ROOT / name).is_file())


def python_files() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py"]


def modules(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def lint_imports(folder: Path) -> tuple[int, str]:
    """Exit status and output of import-linter with our contracts over the package in `folder`."""
    program = "from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", program, "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_import_contracts_hold() -> None:
    status, output = lint_imports(ROOT)
    assert status == 0, output


def test_every_contract_reports_a_planted_violation(tmp_path: Path) -> None:
    prefix = "importlinter:contract:"
    sections = [name for name in settings().sections() if name.startswith(prefix)]
    titles = {name.removeprefix(prefix): settings()[name]["name"] for name in sections}
    assert set(titles) == set(PLANTED)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "tcpsnoop", ignore=shutil.ignore_patterns("__pycache__"))
    planted = [
        *PLANTED.values(),
        ("tcpsnoop.accumulate.planted_too", "tcpsnoop.accumulate.planted"),
    ]
    for importer, imported in planted:
        with (tmp_path / f"{importer.replace('.', '/')}.py").open("a") as file:
            file.write(f"import {imported}\n")
    (tmp_path / "tcpsnoop" / "utils").mkdir()
    (tmp_path / "tcpsnoop" / "utils" / "__init__.py").touch()

    status, output = lint_imports(tmp_path)

    assert status == 1, output
    plain = re.sub(r"\s+", " ", output)
    for contract, title in titles.items():
        assert f"{title} BROKEN" in plain, f"{contract} did not break:\n{output}"
    assert "tcpsnoop.utils" in plain, "a new top-level package was not noticed"


@pytest.mark.parametrize(
    ("module", "too_early"),
    [("tcpsnoop", {"importlib.metadata", "argparse"}), ("tcpsnoop.cli.main", set())],
)
def test_starting_loads_nothing_heavy(module: str, too_early: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    heavy = {"numpy", "numba", "pcapy", "scapy", "tabulate", "rich"}
    reporters = {f"tcpsnoop.reporters.{name}" for name in modules(PACKAGE / "reporters")}
    assert module in loaded
    assert loaded.isdisjoint(heavy | reporters | too_early)


@pytest.mark.parametrize("kind", ["reporters", "renderers"])
def test_one_word_names_entry_point_module_class_and_test(kind: str) -> None:
    expected = {}
    for module in modules(PACKAGE / kind):
        class_name = module.title().replace("_", "")
        expected[module.replace("_", "-")] = f"tcpsnoop.{kind}.{module}:{class_name}"
        tree = ast.parse((PACKAGE / kind / f"{module}.py").read_text())
        assert class_name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        assert (ROOT / "tests" / kind / f"test_{module}.py").is_file()
    assert expected, f"no {kind} found"
    assert entry_points(f"tcpsnoop.{kind}") == expected


def test_every_reporter_has_a_page_and_golden_files_and_no_other_has() -> None:
    names = set(entry_points("tcpsnoop.reporters"))
    assert {path.stem for path in (ROOT / "docs" / "reporters").glob("*.md")} == names
    golden = [path for path in (ROOT / "tests" / "golden").iterdir() if path.is_dir()]
    assert {path.name for path in golden if path.name != "__pycache__"} == names
    for path in golden:
        assert any(path.iterdir()), f"{path} is empty"


def test_every_module_has_its_test_file() -> None:
    missing = set()
    for path in PACKAGE.rglob("*.py"):
        inside = path.relative_to(PACKAGE)
        test = ROOT / "tests" / inside.parent / f"test_{inside.name}"
        if inside.name != "__init__.py" and not test.is_file():
            missing.add(str(inside))
    assert missing == set(WITHOUT_OWN_TEST)


def test_packages_are_packages() -> None:
    """A folder without __init__.py would be missing from the wheel."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_files_are_of_readable_size(notice: Notice) -> None:
    too_long = []
    for path in python_files():
        name = str(path.relative_to(ROOT))
        lines = len(path.read_text().splitlines())
        if lines > FILE_LINES and name not in DATA_TABLES:
            too_long.append(f"{name}: {lines}")
        elif lines > FILE_LINES_AS_A_RULE and name.startswith("tcpsnoop/"):
            notice(f"above {FILE_LINES_AS_A_RULE} lines: {name} ({lines})")
    assert too_long == []


def test_functions_are_of_readable_size() -> None:
    """Lines of the body, docstring apart: a contract may be as long as it must."""
    too_long = []
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node, clean=False) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > FUNCTION_LINES:
                    too_long.append(f"{path.relative_to(ROOT)}: {node.name}: {lines}")
    assert too_long == []


def suppressions(text: str) -> Iterator[str]:
    """Comments that silence ruff or mypy."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and re.search(r"noqa|type: *ignore", token.string):
            yield token.string


def is_reasoned(comment: str) -> bool:
    """Whether each suppression of the comment names its codes, and a reason follows."""
    form = (
        r"(?:# (?:noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\]) *)+(?:#|-|:)? *\w.{9,}"
    )
    return re.fullmatch(form, comment) is not None


def test_every_suppression_has_a_code_and_a_reason() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {comment}"
        for path in python_files()
        for comment in suppressions(path.read_text())
        if not is_reasoned(comment)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("comment", "reasoned"),
    [
        ("# noqa: SLF001 - the field has no public name", True),
        ("# type: ignore[misc]  # the library has no types", True),
        ("# noqa: E501, N802 the protocol's own spelling", True),
        ("# noqa", False),
        ("# noqa: E501", False),
        ("# noqa: E501 - long", False),
        ("# type: ignore  # the library has no types", False),
        ("# type: ignore[misc]", False),
    ],
)
def test_what_counts_as_a_reason(comment: str, reasoned: bool) -> None:
    assert list(suppressions(f"x = 1  {comment}\n")) == [comment]
    assert is_reasoned(comment) is reasoned


def test_files_speak_of_the_project_alone() -> None:
    """No path of one machine, no address of a package registry: they mean nothing elsewhere."""
    foreign = re.compile(
        r"(?<![\w.])/(?:home|root|work|tmp|Users)/\w|index[-]url|find[-]links|trusted[-]host"
        r"|pypi\.org|pythonhosted\.org"
    )
    found = []
    for path in tracked_files():
        text = path.read_bytes().decode(errors="ignore")
        if "\0" not in text and (match := foreign.search(text)):
            found.append(f"{path.relative_to(ROOT)}: {match.group()}")
    assert found == []


def test_readme_shows_the_two_commands_that_ci_runs() -> None:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```sh ci\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert "venv" in blocks[0]
    assert "make test" in blocks[1]


def test_the_changelog_tells_of_this_version() -> None:
    version = settings()["metadata"]["version"]
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()
