"""What the fixtures of conftest.py are, for annotations in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Protocol

Capture = Callable[[str], Path]
"""Name of a file in captures/ → its path; a missing file fails the test."""

Compared = Callable[[str], None]
"""Tells that the capture of this name in the corpus was compared with its truth table."""

Notice = Callable[[str], None]
"""Adds a line after pytest's summary."""


class RunTcpsnoop(Protocol):
    """Runs `python -m tcpsnoop ARGUMENTS…` at the top of the checkout until it ends.

    `stdin` is the content, or a file to read, or nothing (an empty input). Output is decoded as
    UTF-8 with line ends untouched. `environment` is added to the test's own. Raises
    `subprocess.TimeoutExpired` after `timeout` seconds; the default leaves room for compiling.
    """

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes | Path | None = None,
        timeout: float = 120,
        environment: Mapping[str, str] | None = None,
    ) -> CompletedProcess[str]: ...


class WaitUntil(Protocol):
    """Asks `condition` every 10 ms until it holds; fails the test after `timeout` seconds."""

    def __call__(self, condition: Callable[[], bool], timeout: float = 10) -> None: ...
