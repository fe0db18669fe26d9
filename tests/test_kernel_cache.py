"""Where compiled kernels are kept, when they are compiled again, and that this is told."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tcpsnoop import kernel_cache
from tcpsnoop.kernel_cache import cache_folder, on_first_compilation
from tests.fixture_types import Capture

ROOT = Path(__file__).resolve().parent.parent

COMPILING = "compiling for the first run on this machine"


@pytest.fixture
def folder_is_asked_anew() -> Iterator[None]:
    """The cache folder is looked for again, in the surroundings of this test alone."""
    cache_folder.cache_clear()
    yield
    cache_folder.cache_clear()


# Where it is kept


@pytest.mark.usefixtures("folder_is_asked_anew")
def test_the_folder_that_is_named_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TCPSNOOP_CACHE", str(tmp_path))
    folder = cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "tcpsnoop"
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("folder_is_asked_anew")
def test_otherwise_the_users_own_cache_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TCPSNOOP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    folder = cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "xdg" / "tcpsnoop"
    cache_folder.cache_clear()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "home" / ".cache" / "tcpsnoop"


@pytest.mark.usefixtures("folder_is_asked_anew")
def test_none_where_it_cannot_be_made_or_belongs_to_somebody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TCPSNOOP_CACHE", str(tmp_path / "file"))
    assert cache_folder() is None
    cache_folder.cache_clear()
    monkeypatch.setenv("TCPSNOOP_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert cache_folder() is None


# When it is compiled again: two modules in a copy of the package, where nothing else compiles

INNER = """
from tcpsnoop.kernel import kernel

FACTOR = {factor}


@kernel
def times(value):
    return value * FACTOR
"""
OUTER = """
from tcpsnoop.kernel import kernel
from tcpsnoop.kernel_cache import cache_folder, on_first_compilation
from tcpsnoop.dissect.planted_inner import times


@kernel
def twice(value):
    return 2 * times(value)


on_first_compilation(lambda: print("compiling"))
print(twice(21))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package."""
    package = tmp_path / "copy" / "tcpsnoop"
    shutil.copytree(ROOT / "tcpsnoop", package, ignore=shutil.ignore_patterns("__pycache__"))
    return package.parent


def run_planted(copy: Path, factor: int, cache: Path) -> list[str]:
    """What the planted module prints with this constant in the module it calls."""
    (copy / "tcpsnoop" / "dissect" / "planted_inner.py").write_text(INNER.format(factor=factor))
    (copy / "tcpsnoop" / "dissect" / "planted_outer.py").write_text(OUTER)
    done = subprocess.run(
        [sys.executable, "-m", "tcpsnoop.dissect.planted_outer"],
        cwd=copy,
        # Python takes a module's old bytecode for that of a new text of the same second and size.
        env=os.environ
        | {"TCPSNOOP_CACHE": str(cache), "TCPSNOOP_INTERPRET": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_changed_kernel_that_another_calls_takes_effect(copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run_planted(copy, 1, cache) == ["compiling", "42"]
    assert run_planted(copy, 1, cache) == ["42"]
    assert run_planted(copy, 3, cache) == ["compiling", "126"]


def test_damaged_files_cost_a_compilation_alone(copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run_planted(copy, 1, cache)
    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(b"damaged" + path.read_bytes()[7:-9])
    assert run_planted(copy, 1, cache) == ["compiling", "42"]


def test_without_a_folder_it_is_compiled_at_every_start(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        assert run_planted(copy, 1, tmp_path / "file") == ["compiling", "42"]


def package_modules() -> Iterator[Path]:
    for path in (ROOT / "tcpsnoop").rglob("*.py"):
        yield path.relative_to(ROOT / "tcpsnoop")


def test_the_digest_covers_every_module_with_a_kernel(
    monkeypatch: pytest.MonkeyPatch, copy: Path
) -> None:
    monkeypatch.setattr(kernel_cache, "_PACKAGE", copy / "tcpsnoop")
    before = kernel_cache._digest()
    unnoticed = []
    for module in package_modules():
        path = copy / "tcpsnoop" / module
        text = path.read_text()
        path.write_text(f"{text}\n# changed\n")
        if kernel_cache._digest() == before:
            unnoticed.append(module)
        path.write_text(text)
    assert kernel_cache._digest() == before
    assert Path("cli/main.py") in unnoticed, "what has no kernel must not cost a compilation"
    for module in unnoticed:
        loaded = load(module)
        assert not [name for name, value in vars(loaded).items() if is_own_kernel(value, loaded)]


def load(module: Path) -> ModuleType:
    names = ["tcpsnoop", *module.with_suffix("").parts]
    return importlib.import_module(".".join(name for name in names if name != "__init__"))


def is_own_kernel(value: object, module: ModuleType) -> bool:
    return hasattr(value, "py_func") and getattr(value, "__module__", "") == module.__name__


def test_the_first_compilation_is_announced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    on_first_compilation(lambda: told.append("older"))
    on_first_compilation(lambda: told.append("newer"))
    kernel_cache._announce()
    kernel_cache._announce()
    assert told == ["newer"]


@pytest.mark.slow
def test_the_program_shows_what_was_changed_in_an_inner_kernel(
    copy: Path, capture: Capture, tmp_path: Path
) -> None:
    """The bracket before an IPv6 address: written for the kernel that writes rows."""
    kept = cache_folder()
    assert kept is not None
    shutil.copytree(kept, tmp_path / "cache" / "tcpsnoop" / kept.name)
    words = [sys.executable, "-m", "tcpsnoop", "io", "-n", "-r", str(capture("ipv6.pcap"))]

    def run() -> tuple[list[str], bool]:
        """The first row, and whether it had to be compiled."""
        done = subprocess.run(
            words,
            cwd=copy,
            env=os.environ | {"TCPSNOOP_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()[1].split(), COMPILING in done.stderr

    plain = ["[2001:db8:1::20]:8080", "<-", "[2001:db8::10]:49152", "0", "(SYN)"]
    cells = copy / "tcpsnoop" / "formatting" / "cells.py"
    text = cells.read_text()
    changed = text.replace("_OPEN = 91", f"_OPEN = {ord('{')}")
    assert changed != text
    assert run()[0] == plain
    cells.write_text(changed)
    assert run() == ([word.replace("[", "{") for word in plain], True)
    assert run() == ([word.replace("[", "{") for word in plain], False)
