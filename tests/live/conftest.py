"""What live tests share: kernels ready before a capture, and a reporter of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixture_types import Capture, RunTcpsnoop
from tests.live.networks import host
from tests.live.stages import Stage

ENTRY_POINTS = "[tcpsnoop.reporters]\nendings = tests.live.endings:Endings\n"


@pytest.fixture(scope="session", autouse=True)
def compiled(run_tcpsnoop: RunTcpsnoop, capture: Capture) -> None:
    """Kernels are in the cache: programs that begin together do not all compile."""
    done = run_tcpsnoop("io,accept,connect,wdist", "-n", "-r", capture("finger.pcap"))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session", autouse=True)
def prepared(run_tcpsnoop: RunTcpsnoop) -> None:
    """What the kernel traces is told after each boot: `ip netns exec` hides tracefs."""
    done = run_tcpsnoop("owners", "--prepare")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Surroundings in which tcpsnoop finds the reporter of endings.py."""
    folder: Path = tmp_path_factory.mktemp("plugin")
    metadata = folder / "endings-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: endings\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return {"PYTHONPATH": str(folder)}


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A host of its own to play on."""
    with host() as place:
        yield Stage(place, [])
