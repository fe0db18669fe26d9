"""The same surroundings for every test, and what tests share: captures, corpus, whole runs.

UTC, 80 columns and the C locale hold in this process and in those it starts. Tests marked `root`,
`live` or `program(name)` are skipped with a reason where they cannot run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import hypothesis
import pytest

from tests.fixture_types import Capture, Compared, Notice, RunTcpsnoop, WaitUntil

ROOT = Path(__file__).resolve().parent.parent
"""The top of the checkout."""

COMPARED = pytest.StashKey[set[str]]()
NOTICES = pytest.StashKey[list[str]]()

# Debian keeps root's programs where the PATH of others does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

# A plug-in's own tests run in its own environment, from the test that installs it.
collect_ignore = ["plugin"]

# No deadline: the first example of a kernel is compiled. Derandomized: a run says the same twice.
hypothesis.settings.register_profile("tcpsnoop", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tcpsnoop")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what the summary counts."""
    config.stash[COMPARED] = set()
    config.stash[NOTICES] = []


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs root or a program which this machine lacks."""
    needs_root = item.get_closest_marker("root") or item.get_closest_marker("live")
    if needs_root and os.geteuid() != 0:
        pytest.skip("needs root")
    for marker in item.iter_markers("program"):
        for name in marker.args:
            if shutil.which(name, path=SEARCH_PATH) is None:
                pytest.skip(f"needs the program {name}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a worker of several runs as a whole: a file, for its fixtures; all that needs root.

    Tests that need root change the machine (devices, namespaces, tracing), or look at all of it.
    """
    for item in items:
        alone = item.get_closest_marker("root") or item.get_closest_marker("live")
        item.add_marker(pytest.mark.xdist_group("root" if alone else item.location[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of several has to tell at the end."""
    told = getattr(node, "workeroutput", {})
    compared: set[str] = node.config.stash[COMPARED]
    compared.update(told.get("compared", ()))
    node.config.stash[NOTICES] += told.get("notices", ())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """End the run with notices and the count that .ci/run reads, after pytest's own summary."""
    compared, notices = session.config.stash[COMPARED], session.config.stash[NOTICES]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput |= {"compared": sorted(compared), "notices": notices}
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or session.config.option.collectonly:
        return
    reporter.ensure_newline()
    for notice in notices:
        reporter.write_line(notice)
    reporter.write_line(f"captures compared with the corpus: {len(compared)}")


@pytest.fixture(scope="session", autouse=True)
def surroundings() -> Iterator[None]:
    """UTC, 80 columns and the C locale; root's programs are found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        patch.setenv("COLUMNS", "80")
        patch.setenv("LC_ALL", "C")
        patch.setenv("PATH", SEARCH_PATH)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session")
def capture() -> Capture:
    """The path of a capture of this project, by its name in captures/."""

    def path_of(name: str) -> Path:
        path = ROOT / "captures" / name
        assert path.is_file(), f"captures/{name} does not exist"
        return path

    return path_of


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of foreign captures with truth tables; tests that need it are skipped without."""
    named = os.environ.get("TCPSNOOP_CORPUS")
    folder = Path(named) if named else ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip("no corpus: TCPSNOOP_CORPUS names none and there is none beside the checkout")
    return folder


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> Compared:
    """Call it with a capture's name once its output was compared with the truth table."""
    return request.config.stash[COMPARED].add


@pytest.fixture
def notice(request: pytest.FixtureRequest) -> Notice:
    """Adds a line after pytest's summary: something to look at that fails nothing."""
    return request.config.stash[NOTICES].append


@pytest.fixture(scope="session")
def run_tcpsnoop() -> RunTcpsnoop:
    """One whole run of the program: see RunTcpsnoop."""

    def run(
        *arguments: str | Path,
        stdin: bytes | Path | None = None,
        timeout: float = 120,
        environment: Mapping[str, str] | None = None,
    ) -> CompletedProcess[str]:
        command = [sys.executable, "-m", "tcpsnoop", *map(str, arguments)]
        with stdin.open("rb") if isinstance(stdin, Path) else nullcontext() as file:
            done = subprocess.run(
                command,
                stdin=file,
                input=None if isinstance(stdin, Path) else stdin or b"",
                capture_output=True,
                timeout=timeout,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                check=False,
            )
        return CompletedProcess(
            command, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


@pytest.fixture(scope="session")
def wait_until() -> WaitUntil:
    """Waits for a condition instead of a time: see WaitUntil."""

    def wait(condition: Callable[[], bool], timeout: float = 10) -> None:
        end = time.monotonic() + timeout
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < end, f"waited {timeout} s for {condition}"
            pause.wait(0.01)

    return wait
