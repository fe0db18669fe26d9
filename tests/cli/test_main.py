"""The command line before anything runs: help, versions, words that are wrong, errors of ours."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tcpsnoop import registry
from tcpsnoop.cli import main as module
from tcpsnoop.cli.main import main
from tcpsnoop.errors import CaptureError
from tests.fixture_types import RunTcpsnoop

Said = pytest.CaptureFixture[str]


def refused(said: Said, *words: str) -> str:
    """The one line that these words are refused with."""
    assert main(words) == 2
    output, notes = said.readouterr()
    assert output == ""
    assert notes.startswith("tcpsnoop: ")
    assert notes.count("\n") == 1
    return notes


def test_help_names_every_report_with_its_summary_and_every_option(capsys: Said) -> None:
    for words in (["--help"], ["-h"], ["help"]):
        assert main(words) == 0
        text, notes = capsys.readouterr()
        assert notes == ""
        for name in registry.names(registry.REPORTERS):
            assert f"  {name:<14} {registry.summary(registry.REPORTERS, name)}\n" in text
        for option in ("--read", "--interface", "--local", "--interval", "--format", "-Z USER"):
            assert option in text
        assert max(map(len, text.splitlines())) <= 100


def test_help_of_a_report_has_its_page_and_its_own_options(run_program: RunTcpsnoop) -> None:
    done = run_program("io", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Every TCP segment as it comes" in done.stdout
    assert "-v, --verbose" in done.stdout
    assert "--max-keys" not in done.stdout
    assert "--max-keys" in run_program("wdist", "--help").stdout


def test_version(capsys: Said) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tcpsnoop {version('tcpsnoop')}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "what shall be reported? tcpsnoop --help"),
        (["acept"], "there is no report 'acept': did you mean accept?"),
        (["lst"], "did you mean list?"),
        (["xyzzy"], "there is no report 'xyzzy': there are accept"),
        (["io,acept"], "did you mean accept?"),
        (["io,"], "there is no report ''"),
        (["-r", "x", "io"], "the report comes first, then -r"),
        (["io", "--"], "-- CMD: which command shall be run?"),
        (["io", "-r", "x", "-i", "lo"], "-r and -i"),
        (["io,accept", "-r", "x", "--format", "csv"], "--format csv: several reports"),
        (["io,accept", "-r", "x", "-v"], "there is no option -v (with several reports"),
        (["io", "-r", "x", "--nosuch"], "there is no option --nosuch"),
        (["io", "-r", "x", "-c", "none"], "-c/--count"),
        (["list"], "what"),
        (["list", "nothing"], "invalid choice: 'nothing'"),
    ],
)
def test_wrong_words_are_one_line_that_says_what_to_do(
    capsys: Said, words: list[str], told: str
) -> None:
    assert told in refused(capsys, *words)


def test_after_two_dashes_everything_is_a_command(capsys: Said) -> None:
    """Even where options before it are wrong: it is not built."""
    assert "-- CMD" in refused(capsys, "io", "-r", "no/such", "--", "-q")


def test_an_error_of_ours_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    def broken(words: list[str]) -> int:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(module, "_dispatch", broken)
    monkeypatch.delenv("TCPSNOOP_DEBUG", raising=False)
    assert main([]) == 1
    notes = capsys.readouterr().err
    assert "internal error, please report it: ZeroDivisionError: oops" in notes
    assert "Traceback" not in notes
    monkeypatch.setenv("TCPSNOOP_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main([])


@pytest.mark.parametrize(("raised", "status"), [(CaptureError("cut"), 1), (KeyboardInterrupt(), 0)])
def test_what_ends_it_gives_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, raised: BaseException, status: int
) -> None:
    def ending(words: list[str]) -> int:
        raise raised

    monkeypatch.setattr(module, "_dispatch", ending)
    assert main([]) == status
    assert capsys.readouterr().err == ("tcpsnoop: cut\n" if status else "")


def test_names_from_outside_cannot_move_the_terminal(capsys: Said) -> None:
    told = refused(capsys, "io", "-r", "no/\x1b[2J\nsuch\u202e")
    assert "\x1b" not in told
    assert r"no/\x1b[2J\nsuch\u202e" in told


def test_notes_that_nobody_can_read_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, text: str) -> int:
            raise OSError(errno.EPIPE, "gone")

        def flush(self) -> None:
            pass

    monkeypatch.setattr(sys, "stderr", Closed())
    assert main(["xyzzy"]) == 2


def test_the_program_leaves_with_the_status(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    """Through `program`, which ends the process itself."""
    assert run_program("list", "reports").returncode == 0
    assert run_program("io", "-r", tmp_path / "none").returncode == 2
    assert os.getpid() > 0


def test_no_threads_of_linear_algebra_are_started(tmp_path: Path) -> None:
    """And a command that is run finds the environment as it was."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from tcpsnoop.cli.main import main\n"
        "main(['life', '-r', 'nowhere'])\n"
        "import numpy\n"
        "print('threads', len(os.listdir('/proc/self/task')))\n"
        "print('variable', os.environ.get('OPENBLAS_NUM_THREADS'))\n"
    )
    environment = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    for given in ({}, {"OPENBLAS_NUM_THREADS": "1"}):
        done = subprocess.run(
            [sys.executable, str(script)],
            env={**environment, **given},
            capture_output=True,
            text=True,
        )
        variable = given.get("OPENBLAS_NUM_THREADS")
        assert done.stdout.splitlines()[-2:] == ["threads 1", f"variable {variable}"], done.stderr
