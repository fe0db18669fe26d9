"""A reporter in a package of its own (tests/plugin), installed with pip: all that ours can do.

It is installed into a folder beside nothing else, and found there through PYTHONPATH as it would be
in an environment.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fixture_types import Capture, RunTcpsnoop

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "tests" / "plugin"
SUMMARY = "Combinations of TCP flags: how many segments have each"

Environment = Mapping[str, str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment in which the plug-in is installed."""
    folder = tmp_path_factory.mktemp("plugin")
    # Building leaves files beside the source.
    source = shutil.copytree(PLUGIN, folder / "source")
    target = folder / "installed"
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target)]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {"PYTHONPATH": f"{target}{os.pathsep}{ROOT}"}


def pytest_in(environment: Environment, *arguments: str | Path) -> str:
    """A run of pytest that must pass; its output."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    whole = os.environ | environment | {"PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed(run_tcpsnoop: RunTcpsnoop, installed: Environment) -> None:
    listed = run_tcpsnoop("list", "reports", environment=installed).stdout.splitlines()
    assert f"{'flags':<16} {SUMMARY}" in listed
    assert any(line.startswith("io ") for line in listed), "ours are listed the same way"
    assert f"  {'flags':<14} {SUMMARY}" in run_tcpsnoop("--help", environment=installed).stdout


def test_its_options_are_those_of_its_fields(
    run_tcpsnoop: RunTcpsnoop, installed: Environment
) -> None:
    text = run_tcpsnoop("flags", "--help", environment=installed).stdout
    assert "-P, --by-port" in text
    assert "--max-keys MAX_KEYS" in text
    assert "Many bare SYN are a scan" in text


def test_it_reports_on_a_file(
    run_tcpsnoop: RunTcpsnoop, installed: Environment, capture: Capture
) -> None:
    """Ten connections: a SYN and a SYN|ACK each, of 110 segments."""
    arguments = ["flags", "--format", "jsonl", "-r", str(capture("accepts.pcap"))]
    done = run_tcpsnoop(*arguments, environment=installed)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    segments = {row["flags"]: row["segments"] for row in rows}
    assert done.returncode == 0
    assert (segments["SYN"], segments["SYN|ACK"]) == (10, 10)
    assert sum(segments.values()) == 110
    by_port = run_tcpsnoop(*arguments, "-P", environment=installed).stdout.splitlines()
    ports = {row["port"] for row in map(json.loads, by_port)}
    assert ports == {22, 23, 79, 513}


def test_its_own_tests_pass(installed: Environment) -> None:
    """Frames in memory through `replay`; with its own settings, as an author would run them."""
    output = pytest_in(installed, "-c", PLUGIN / "setup.cfg", "--rootdir", PLUGIN, PLUGIN)
    assert "3 passed" in output


def test_it_keeps_the_laws(installed: Environment) -> None:
    output = pytest_in(installed, "tests/test_reporter_laws.py", "-k", "flags", "-vv")
    assert "test_the_laws_hold[flags] PASSED" in output


@pytest.mark.live
def test_it_reports_live(installed: Environment) -> None:
    """Connections that nobody listens for: a SYN and a RST|ACK each."""
    command = [sys.executable, "-m", "tcpsnoop", "flags", "-P", "--format", "jsonl", "-i", "lo"]
    with (
        socket.socket() as bound,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | installed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        assert program.stderr is not None
        assert any(line.startswith("Tracing") for line in program.stderr)
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        for _ in range(7):
            with socket.socket() as client, pytest.raises(ConnectionRefusedError):
                client.connect(("127.0.0.1", port))
        program.send_signal(signal.SIGINT)
        output, notes = program.communicate(timeout=30)
    rows = [json.loads(line) for line in output.splitlines()]
    found = {row["flags"]: row["segments"] for row in rows if row["port"] == port}
    assert (program.returncode, found) == (0, {"SYN": 7, "RST|ACK": 7}), notes
