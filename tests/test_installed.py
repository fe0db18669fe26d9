"""Installed by root for all to read, and run by who can write nowhere: every report works."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.fixture_types import Capture, RunTcpsnoop

ROOT = Path(__file__).resolve().parent.parent
REPORTS = "io,accept,connect,wdist"

# Where programs may write by custom; each is read-only where it is mounted of its own.
WRITABLE = ("/", "/tmp", "/var/tmp", "/dev/shm", "/run", "/home")


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """A folder with package and metadata, as an installer leaves them; nobody may write there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "tcpsnoop", folder / "tcpsnoop", ignore=no_caches)
        setup = configparser.ConfigParser(interpolation=None)
        setup.read(ROOT / "setup.cfg")
        version = setup["metadata"]["version"]
        metadata = folder / f"tcpsnoop-{version}.dist-info"
        metadata.mkdir()
        about = f"Metadata-Version: 2.1\nName: tcpsnoop\nVersion: {version}\n"
        (metadata / "METADATA").write_text(about)
        groups = setup["options.entry_points"]
        text = "\n".join(f"[{group}]\n{lines.strip()}\n" for group, lines in groups.items())
        (metadata / "entry_points.txt").write_text(text)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder


def no_caches(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]


def as_nobody(installed: Path, *words: object) -> CompletedProcess[str]:
    """Run it as nobody: without a home, and nothing can be written anywhere.

    The capability lets nobody read what Python itself needs, if that lies in the home of root.
    """
    read_only = "; ".join(
        f"mountpoint -q {folder} && mount -o remount,bind,ro {folder}" for folder in WRITABLE
    )
    reading = "dac_read_search"
    become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"]
    become += [f"--inh-caps=-all,+{reading}", f"--ambient-caps=-all,+{reading}"]
    environment = {"PYTHONPATH": str(installed), "HOME": "/nonexistent", "PATH": os.defpath}
    given = [f"{name}={value}" for name, value in environment.items()]
    command = ["env", "-i", *given, sys.executable, "-m", "tcpsnoop", *map(str, words)]
    script = f"{read_only}; cd /; exec {shlex.join([*become, *command])}"
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.program("setpriv", "unshare", "mountpoint")
def test_every_report_works_for_who_can_write_nowhere(
    run_tcpsnoop: RunTcpsnoop, installed: Path, capture: Capture
) -> None:
    words = (REPORTS, "-n", "-r", capture("accepts.pcap"))
    expected = run_tcpsnoop(*words)
    assert expected.returncode == 0
    done = as_nobody(installed, *words)
    assert (done.returncode, done.stdout) == (0, expected.stdout), done.stderr
    assert done.stderr.count("compiling, at every start") == 1
    assert list(installed.rglob("__pycache__")) == []


@pytest.mark.root
@pytest.mark.program("setpriv", "unshare", "mountpoint")
def test_nothing_can_be_written_there(installed: Path, capture: Capture) -> None:
    """Otherwise the test above would show nothing."""
    for folder in ("/tmp", "/var/tmp", "/dev/shm", installed, "/nonexistent"):
        done = as_nobody(installed, "io", "-r", capture("finger.pcap"), "-o", f"{folder}/x")
        assert done.returncode == 2
        assert f"{folder}/x cannot be written" in done.stderr


@pytest.mark.root
@pytest.mark.program("setpriv", "unshare", "mountpoint")
def test_help_and_lists_work_there(installed: Path, run_tcpsnoop: RunTcpsnoop) -> None:
    for words in (["--help"], ["--version"], ["list", "reports"], ["list", "probes", "-v"]):
        done = as_nobody(installed, *words)
        assert (done.returncode, done.stdout) == (0, run_tcpsnoop(*words).stdout)
