"""How runs end: 0 done, 1 something is missing, 2 nothing was started; one line says what."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.made import SEGMENTS, visit, write
from tests.fixture_types import Capture, RunTcpsnoop, WaitUntil
from tests.live.programs import running, tcpsnoop
from tests.oracle import observe

ROOT = Path(__file__).resolve().parents[2]

HEADER = f"{'LADDR':>16}:{'PORT':<6}    {'RADDR':>16}:{'PORT':<5} {'BYTES':>6} FLAGS\n"


def refusal(done: CompletedProcess[str]) -> str:
    """The one line of a run that was not started."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    told = done.stderr.splitlines(keepends=True)
    # Another test may have left kernels to compile; the run says so before it has looked at all.
    stderr = "".join(line for line in told if not line.startswith("compiling"))
    assert stderr.startswith("tcpsnoop: ")
    assert stderr.count("\n") == 1
    return stderr


def in_shell(line: str) -> CompletedProcess[str]:
    """A line of bash; `tcpsnoop` is the program under test."""
    program = shlex.join([sys.executable, "-m", "tcpsnoop"])
    script = f'tcpsnoop() {{ {program} "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def without(*capabilities: str) -> list[str]:
    """The beginning of a command line that runs as root without some of its capabilities."""
    less = ",".join(f"-{name}" for name in capabilities)
    return ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}"]


# 0: done


@pytest.mark.parametrize("name", ["empty.pcap", "empty.pcapng"])
def test_a_capture_without_packets_is_its_header_alone(
    run_program: RunTcpsnoop, capture: Capture, name: str
) -> None:
    done = run_program("io", "-r", capture(name))
    assert (done.returncode, done.stdout) == (0, HEADER)
    done = run_program("io", "-r", capture(name), "--format", "jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    done = run_program("accept", "-r", capture(name), "--interval", "1")
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (
        0,
        [f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}"],
    )


@pytest.mark.parametrize("command", ["io -n -r {file}", "list probes -v", "--help"])
def test_a_closed_pipe_is_no_error(tmp_path: Path, command: str) -> None:
    many = [visit(at, client_port=1 + at) for at in range(1200)]
    file = write(tmp_path / "many.pcap", *many)  # more lines than a pipe holds
    words = command.format(file=shlex.quote(str(file)))
    done = in_shell(f"tcpsnoop {words} | head -1; echo ${{PIPESTATUS[0]}} >&2")
    *said, status = done.stderr.splitlines()
    assert (status, len(done.stdout.splitlines())) == ("0", 1)
    assert not [line for line in said if "rror" in line or "Traceback" in line]


def test_a_pipe_that_nobody_reads_from_the_start_is_no_error(capture: Capture) -> None:
    file = shlex.quote(str(capture("finger.pcap")))
    done = in_shell(f"tcpsnoop io -n -r {file} | :; echo ${{PIPESTATUS[0]}}")
    assert done.stdout == "0\n"
    assert "Traceback" not in done.stderr


# 1: something is missing


@pytest.mark.parametrize(
    "name", ["cut-body.pcap", "cut-header.pcap", "cut-block.pcapng", "cut.snoop"]
)
def test_a_cut_file_is_reported_as_far_as_it_goes(
    run_program: RunTcpsnoop, capture: Capture, name: str
) -> None:
    manifest = json.loads((ROOT / "captures" / "MANIFEST.json").read_text())
    file = capture(name)
    done = run_program("io", "-n", "--format", "jsonl", "-r", file)
    assert done.returncode == 1
    whole = [each.packet for each in observe(file.read_bytes()) if each.segment]
    assert [json.loads(line)["packet"] for line in done.stdout.splitlines()] == whole
    told = [line for line in done.stderr.splitlines() if "cut off" in line]
    assert len(told) == 1
    assert f"byte {file.stat().st_size}," in told[0]
    assert told[0].endswith(f"begins at byte {manifest[name]['cut_at']}")


def test_damage_is_told_whatever_else_is_quiet(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("accept", "-q", "-r", capture("cut-body.pcap"))
    assert done.returncode == 1
    assert "cut off" in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_damaged_file_of_several_is_told(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path
) -> None:
    other = write(tmp_path / "later.pcap", visit(1000, client_port=7))
    words = ("io", "-n", "--format", "jsonl", "-r", capture("cut-body.pcap"), "-r", other)
    done = run_program(*words)
    assert done.returncode == 1
    assert "cut-body.pcap is cut off" in done.stderr
    files = [json.loads(line)["file"] for line in done.stdout.splitlines()]
    assert files.count(str(other)) == SEGMENTS


def test_no_packet_of_a_supported_link_type(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("io", "-r", capture("unsupported-link-type.pcap"))
    assert (done.returncode, done.stdout) == (1, HEADER)
    assert "unsupported link type 147" in done.stderr


def test_output_that_is_not_written_whole(run_program: RunTcpsnoop, capture: Capture) -> None:
    file = capture("finger.pcap")
    done = run_program("io", "-q", "-r", file, "-o", "/dev/full", "--force")
    assert done.returncode == 1
    assert "/dev/full was not written whole: No space left on device" in done.stderr
    done = in_shell(f"tcpsnoop io -q -r {shlex.quote(str(file))} > /dev/full")
    assert done.returncode == 1
    assert "standard output was not written whole" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_reading_that_is_interrupted_reports_what_came(
    capture: Capture, number: signal.Signals
) -> None:
    reading, writing = os.pipe()
    with (
        os.fdopen(reading) as pipe,
        os.fdopen(writing, "wb") as more,
        running(*tcpsnoop("io,accept", "-n", "-r", "-"), stdin=pipe) as program,  # type: ignore[arg-type]  # a pipe is a file too
    ):
        more.write(capture("finger.pcap").read_bytes())
        more.flush()
        program.output.wait("(SYN|ACK)", timeout=120)
        program.end(number)
    assert program.process.returncode == 1
    assert program.notes.text.count("interrupted") == 1
    assert "   192.168.1.109              79              1\n" in program.output.text


@pytest.mark.parametrize("library", ["_struct", "multiarray", "llvmlite"])
def test_interrupted_while_it_starts(wait_until: WaitUntil, library: str) -> None:
    """As soon as one of the libraries is loaded that it imports in turn."""
    with running(*tcpsnoop("accept", "-r", "-")) as program:
        maps = Path(f"/proc/{program.pid}/maps")
        wait_until(lambda: library in maps.read_text())
        program.end()
    assert program.process.returncode in (0, 1)
    assert "Traceback" not in program.notes.text


# 2: nothing was started


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "has no bytes"), (b"#!/bin/sh\n" * 10, "is not a capture"), (None, "does not exist")],
)
def test_what_is_no_capture_is_refused(
    run_program: RunTcpsnoop, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    assert f"{file} {reason}" in refusal(run_program("io", "-r", file))
    if content is not None:
        done = run_program("io", "-r", "-", stdin=content)
        assert f"standard input {reason}" in refusal(done)


def test_a_directory_is_refused(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    assert f"{tmp_path} is a directory" in refusal(run_program("io", "-r", tmp_path))
    assert str(tmp_path) in refusal(run_program("io", "-o", tmp_path, "-r", "captures/finger.pcap"))


def test_one_bad_file_of_several_stops_all(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("io", "-r", capture("finger.pcap"), "-r", "no/such")
    assert "no/such does not exist" in refusal(done)


def test_output_that_cannot_be_made_is_refused(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "no" / "such"
    done = run_program("io", "-o", file, "-r", capture("finger.pcap"))
    assert f"{file} cannot be written: No such file or directory" in refusal(done)


@pytest.mark.root
@pytest.mark.program("setpriv")
def test_what_may_not_be_read_or_written_is_refused(capture: Capture, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(capture("finger.pcap").read_bytes())
    secret.chmod(0)
    readonly = tmp_path / "readonly"
    readonly.mkdir(mode=0o500)
    as_others = without("dac_override", "dac_read_search")

    def run(*words: object) -> CompletedProcess[str]:
        command = [str(word) for word in (*as_others, *tcpsnoop(*words))]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "may not be read by this user" in refusal(run("io", "-r", secret))
    done = run("io", "-r", capture("finger.pcap"), "-o", readonly / "report")
    assert "Permission denied" in refusal(done)


@pytest.mark.root
@pytest.mark.program("setpriv")
def test_without_the_right_to_capture(run_program: RunTcpsnoop) -> None:
    command = [*without("net_raw", "net_admin"), *map(str, tcpsnoop("io", "-i", "lo"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "no permission to capture on lo" in refusal(done)


@pytest.mark.live
def test_an_interface_that_is_not_there(run_program: RunTcpsnoop) -> None:
    told = refusal(run_program("io", "-i", "nosuch0"))
    assert "there is no interface nosuch0" in told
    assert "list interfaces" in told


@pytest.mark.live
def test_wrong_words_are_wrong_live_too(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    """Each of them before a packet is waited for."""
    existing = tmp_path / "report"
    existing.write_text("mine")
    cases: Sequence[tuple[str, Callable[[str], bool]]] = (
        ("tcp prot 80", lambda line: "filter" in line),
        ("-Z nosuchuser", lambda line: "nosuchuser" in line),
        (f"-o {existing}", lambda line: "--force" in line),
        ("-B 99999999", lambda line: "buffer" in line),
        ("--local here", lambda line: "--local" in line),
        ("--hosts no/such", lambda line: "no/such" in line),
    )
    for words, told in cases:
        assert told(refusal(run_program("io", "-i", "lo", *words.split(" ")))), words
    assert existing.read_text() == "mine"


def test_a_run_that_is_refused_has_written_and_destroyed_nothing(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path
) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("mine")
    for words in (
        ("accept", "--sort", "size", "-r", capture("finger.pcap")),
        ("accept", "--local", "here", "-r", capture("finger.pcap")),
        ("accept", "--hosts", "no/such", "-r", capture("finger.pcap")),
        ("accept", "-r", "-"),  # a pipe says only when it is read that it is no capture
    ):
        refusal(run_program(*words, "-o", new))
        assert not new.exists()
        refusal(run_program(*words, "-o", old, "--force"))
        assert old.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("io -c 999999999999999999999999999999", 0),
        ("io -d 1e300", 2),
        ("io -d 1e-300", 0),
        ("accept --top 999999999999999999999999999999", 0),
        ("accept --max-connections 99999999999999", 2),
        ("accept --max-keys 999999999999999999999999999999", 0),
        ("accept --interval 1e300", 2),
        ("accept --interval 1e-9", 0),
        ("io --hosts /", 2),
        ("io --hosts /dev/null", 0),
        ("io -o /dev/null --force", 0),
        ("io (", 2),
        ("io tcp port \udcff", 2),
        ("io -r /dev/zero", 2),
        ("io -r \udcff", 2),
        ("io,io", 0),
    ],
)
def test_extreme_words_are_done_or_refused(
    run_program: RunTcpsnoop, capture: Capture, words: str, status: int
) -> None:
    done = run_program(*words.split(), "-r", capture("finger.pcap"))
    assert done.returncode == status, done.stderr
    assert "internal error" not in done.stderr
