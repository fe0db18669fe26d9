"""Whole runs that begin where another process has already imported and compiled everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NoReturn

import pytest

from tcpsnoop import registry
from tcpsnoop.__main__ import program
from tests.fixture_types import RunTcpsnoop

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 60


@pytest.fixture(scope="session")
def kernels() -> None:
    """Kernels of all reports are in this process."""
    from tcpsnoop.engine.settings import Settings
    from tcpsnoop.engine.warming import warm_up

    reports = tuple(
        (name, registry.load(registry.REPORTERS, name)())
        for name in registry.names(registry.REPORTERS)
    )
    for renderer in registry.names(registry.RENDERERS):
        warm_up(Settings(reports, registry.load(registry.RENDERERS, renderer), files=("x",)))


@pytest.fixture(scope="session")
def run_program(kernels: None) -> RunTcpsnoop:
    """As `run_tcpsnoop`, in a child of this process: the same in a twentieth of the time."""

    def run(
        *arguments: str | Path,
        stdin: bytes | Path | None = None,
        timeout: float = LONGEST_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        words = ["tcpsnoop", *map(str, arguments)]
        with (
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as notes,
            tempfile.TemporaryFile() as given,
        ):
            given.write(stdin.read_bytes() if isinstance(stdin, Path) else stdin or b"")
            given.seek(0)
            child = os.fork()
            if child == 0:
                _become(words, (given, output, notes), environment or {}, timeout)
            _, status = os.waitpid(child, 0)
            said = []
            for file in (output, notes):
                file.seek(0)
                said.append(file.read().decode())
        return subprocess.CompletedProcess(words, os.waitstatus_to_exitcode(status), *said)

    return run


def _become(
    words: list[str], files: tuple[IO[bytes], ...], environment: Mapping[str, str], seconds: float
) -> NoReturn:
    """Be the program, with these files as standard input, output and error."""
    try:
        signal.alarm(round(seconds))
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode) for number, mode in enumerate("rww")
        )
        sys.argv = words
        os.chdir(ROOT)
        os.environ.update(environment)
        time.tzset()
        warnings.resetwarnings()
        program()
    finally:
        # Only what `program` lets through comes here, as an interpreter would: SystemExit too.
        error = sys.exc_info()[1]
        sys.stdout.flush()
        os._exit(error.code if isinstance(error, SystemExit) and type(error.code) is int else 70)
