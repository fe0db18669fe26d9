"""A pair of virtual interfaces: frames sent into one come in at the other."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# An EtherType for experiments (IEEE 802): nothing else on the link has it.
ETHERTYPE = 0x88B5
FILTER = f"ether proto {ETHERTYPE:#x}"


class Link:
    """The two ends by name, and a socket that sends frames into the first."""

    def __init__(self, sent: str, captured: str, sender: socket.socket) -> None:
        self.sent = sent
        self.captured = captured
        self.send = sender.send

    def carries(self) -> bool:
        """Whether frames get through: both ends are up, which takes the kernel a moment."""
        states = (Path(f"/sys/class/net/{name}/operstate") for name in (self.sent, self.captured))
        return all(state.read_text() == "up\n" for state in states)


@contextmanager
def virtual_link() -> Iterator[Link]:
    """A new pair that is up; it is gone afterwards."""
    sent, captured = f"ts{os.getpid()}a", f"ts{os.getpid()}b"
    ip("link", "add", sent, "type", "veth", "peer", "name", captured)
    try:
        for name in (sent, captured):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            ip("link", "set", name, "up")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((sent, 0))
            yield Link(sent, captured, raw)
    finally:
        # A test may have deleted it.
        subprocess.run(["ip", "link", "delete", sent], check=False, capture_output=True)


def ip(*arguments: str) -> None:
    """Run the program of that name, which must succeed."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def frame(size: int, number: int = 0) -> bytes:
    """A frame of our EtherType that carries a number."""
    return bytes(12) + ETHERTYPE.to_bytes(2, "big") + number.to_bytes(4, "big") + bytes(size - 18)
