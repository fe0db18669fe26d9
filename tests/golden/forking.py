"""Runs of the program without its start: a process that has imported it forks for each of them.

To start takes half a second, a golden run some hundredths; and a fork begins as the program does.
`python -m tests.golden.forking` reads the words of a run from each line of its standard input, as
JSON, and answers with a line: exit status, standard output, standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, NoReturn

from tcpsnoop.__main__ import program

# All that a run on a file imports, Numba too.
_MODULES = ("tcpsnoop.engine.run", "tcpsnoop.kernel_compiler")
_PACKAGES = ("tcpsnoop.reporters", "tcpsnoop.renderers")


class Forking:
    """The process, from outside: one run after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, words: Sequence[str]) -> tuple[int, bytes, str]:
        """Exit status, standard output and standard error of `tcpsnoop WORDS`."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(json.dumps(words) + "\n")
        asked.flush()
        status, output, errors = json.loads(answered.readline())
        return status, output.encode("latin-1"), errors


@contextmanager
def forking(folder: os.PathLike[str], environment: dict[str, str]) -> Iterator[Forking]:
    """One that runs in a folder, with more in its environment."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.golden.forking"],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Forking(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Answer until standard input ends."""
    for package in _PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")
    for name in _MODULES:
        importlib.import_module(name)
    for line in sys.stdin:
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            child = os.fork()
            if child == 0:
                _become(json.loads(line), output, errors)
            _, ended = os.waitpid(child, 0)
            output.seek(0)
            errors.seek(0)
            told = output.read().decode("latin-1"), errors.read().decode()
        sys.stdout.write(json.dumps((os.waitstatus_to_exitcode(ended), *told)) + "\n")
        sys.stdout.flush()


def _become(words: list[str], output: IO[bytes], errors: IO[bytes]) -> NoReturn:
    """Be the program, to its end."""
    with open(os.devnull) as nothing:
        for there, here in enumerate((nothing.fileno(), output.fileno(), errors.fileno())):
            os.dup2(here, there)
    sys.argv[:] = ["tcpsnoop", *words]
    try:
        program()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
