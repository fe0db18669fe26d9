"""Opening an interface: what is refused, and what the user is told to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.activation import LARGEST_BUFFER_KIB
from tcpsnoop.sources.live import LiveSource
from tests.sources.virtual_link import Link, ip

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]


def test_what_cannot_be_captured_on_is_refused(link: Link) -> None:
    with pytest.raises(UsageError, match="there is no interface none: `tcpsnoop list interfaces`"):
        LiveSource("none")
    with pytest.raises(UsageError, match=r"cannot capture on 'a.*b': embedded null character"):
        LiveSource("a\0b")
    ip("link", "set", link.captured, "down")
    with pytest.raises(
        UsageError, match=f"interface {link.captured} is down: bring it up with `ip"
    ):
        LiveSource(link.captured)


@pytest.mark.parametrize("size", [0, LARGEST_BUFFER_KIB + 1])
def test_impossible_buffers_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"a buffer must have 1 to {LARGEST_BUFFER_KIB} KiB"):
        LiveSource("lo", buffer_kib=size)


def test_without_permission_the_user_is_told_what_to_do() -> None:
    program = (
        "import os\n"
        "from tcpsnoop.errors import UsageError\n"
        "from tcpsnoop.sources.live import LiveSource\n"
        "os.setuid(65534)\n"
        "try:\n"
        "    LiveSource('lo')\n"
        "except UsageError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout.startswith("no permission to capture on lo: run as root, or with")
