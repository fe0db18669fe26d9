"""10,000 processes with a connection each: every end of every connection is of the right one.

The truth is what the processes themselves wrote down; ports are used again many times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.native import compiled
from tests.fixture_types import Notice
from tests.live.networks import Host, host, veth_pair
from tests.live.programs import Program, running, tcpsnoop
from tests.live.swarms import Swarm, Verdict, call, judge, rows_in, serving

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.program("ip", "gcc", "setpriv", "sysctl"),
]

COUNT = 10_000
FEW_PORTS = "net.ipv4.ip_local_port_range=20000 24999"
NOBODY = 65534
# Another user from the start, with these capabilities and no way to more.
AS_NOBODY = (
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=+net_raw,+perfmon", "--ambient-caps=+net_raw,+perfmon",
    "--bounding-set=-all,+net_raw,+perfmon",
)  # fmt: skip


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = compiled("swarm", tmp_path_factory.mktemp("native"))
    assert path is not None
    return path


def capture(
    stack: ExitStack,
    place: Host,
    device: str,
    output: Path,
    *words: str,
    prefix: Sequence[str] = (),
) -> Program:
    """Tcpsnoop io, capturing."""
    form = ("-i", device, "-n", "-B", "65536", "--format", "jsonl", "-o", output, *words)
    program = stack.enter_context(running(*place.words(*prefix, *tcpsnoop("io", *form))))
    program.tracing()
    return program


def ended(program: Program, told: Swarm, output: Path) -> Verdict:
    """The verdict on what a capture wrote, once it has seen all."""
    threading.Event().wait(0.3)
    program.end(signal.SIGINT)
    assert "0 packets dropped by kernel" in program.notes.text
    return judge(told, rows_in(output))


def all_right(verdict: Verdict, program: Program, ends: int) -> None:
    """Every end right, and nothing lost."""
    assert (verdict.wrong, verdict.unknown) == (0, 0), (verdict, verdict.reasons)
    assert verdict.right == verdict.ends == ends
    assert "owners: no event lost" in program.notes.text


@pytest.mark.parametrize(
    ("address", "served"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::ffff:127.0.0.1", "::")],
)
def test_on_loopback(
    swarm: Path, tmp_path: Path, address: str, served: str, notice: Notice
) -> None:
    with ExitStack() as stack:
        place = stack.enter_context(host())
        subprocess.run(place.words("sysctl", "-qw", FEW_PORTS), check=True)
        program = capture(stack, place, "lo", tmp_path / "rows")
        with serving(swarm, place, served, tmp_path) as told:
            call(swarm, place, address, told, tmp_path, COUNT)
        verdict = ended(program, told, tmp_path / "rows")
    assert told.ports_used_again > COUNT // 4
    all_right(verdict, program, 2 * COUNT)
    notice(f"{address}: {verdict}, {COUNT / told.seconds:.0f} connections a second")


@pytest.mark.parametrize("family", ["4", "6", "mapped"])
def test_between_two_namespaces(swarm: Path, tmp_path: Path, family: str) -> None:
    with ExitStack() as stack:
        one, other = stack.enter_context(veth_pair())
        subprocess.run(one.words("sysctl", "-qw", FEW_PORTS), check=True)
        address = other.addresses[6 if family == "6" else 4]
        served = "::" if family == "mapped" else address
        address = f"::ffff:{address}" if family == "mapped" else address
        programs = {
            name: capture(stack, place, "eth0", tmp_path / name)
            for name, place in (("calling", one), ("called", other))
        }
        with serving(swarm, other, served, tmp_path) as told:
            call(swarm, one, address, told, tmp_path, COUNT)
        verdicts = {
            name: ended(program, told, tmp_path / name) for name, program in programs.items()
        }
    assert told.ports_used_again > COUNT // 4
    for name, verdict in verdicts.items():
        all_right(verdict, programs[name], COUNT)


def test_as_somebody_who_never_was_root(
    swarm: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if subprocess.run(
        [*AS_NOBODY, "test", "-r", str(Path(__file__).parents[2])], check=False
    ).returncode:
        pytest.skip("others may not read this checkout")
    folder = Path(tempfile.gettempdir()) / f"tcpsnoop-test-{os.getpid()}"
    folder.mkdir(mode=0o755)  # others must get there
    os.chown(folder, NOBODY, NOBODY)
    monkeypatch.setenv("TCPSNOOP_CACHE", str(folder))
    try:
        with ExitStack() as stack:
            place = stack.enter_context(host())
            program = capture(stack, place, "lo", folder / "rows", prefix=AS_NOBODY)
            with serving(swarm, place, "127.0.0.1", tmp_path) as told:
                call(swarm, place, "127.0.0.1", told, tmp_path, COUNT)
            verdict = ended(program, told, folder / "rows")
        all_right(verdict, program, 2 * COUNT)
    finally:
        subprocess.run(["rm", "-r", folder], check=True)


def test_without_tracing_nothing_is_wrong(swarm: Path, tmp_path: Path, notice: Notice) -> None:
    with ExitStack() as stack:
        place = stack.enter_context(host())
        program = capture(stack, place, "lo", tmp_path / "rows", "--no-tracing")
        with serving(swarm, place, "127.0.0.1", tmp_path) as told:
            call(swarm, place, "127.0.0.1", told, tmp_path, 2000)
        verdict = ended(program, told, tmp_path / "rows")
    assert verdict.wrong == 0
    assert all(not reason.endswith("unknown None") for reason in verdict.reasons)
    assert "owners: no kernel tracing: --no-tracing" in program.notes.text
    notice(f"by /proc alone: {verdict}")
