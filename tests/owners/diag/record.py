"""Record what this kernel answers: `unshare --net python -m tests.owners.diag.record FOLDER`.

Makes sockets with known ends in a network namespace of its own, asks for each, and writes the
answers as they come from netlink, one file each. Those in `stored` are of Linux 6.18 on x86_64.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tcpsnoop.owners.diag.messages import every, one
from tcpsnoop.owners.sockets import LISTEN
from tests.owners.proc_tree import Place, packed

NETLINK_SOCK_DIAG, DESTROY_GROUPS = 4, 1 << 0 | 1 << 2
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def answers(request: bytes) -> bytes:
    """All that comes, also in several pieces."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asking:
        asking.settimeout(0.2)
        asking.send(request)
        pieces = []
        with contextlib.suppress(TimeoutError):
            while True:
                pieces.append(asking.recv(1 << 18))
        return b"".join(pieces)


@contextmanager
def pair(
    host: str, port: int, server: str, server_port: int
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection; the server listens on all addresses of both families."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server(
            ("::", server_port), family=socket.AF_INET6, dualstack_ipv6=True
        ) as listening,
        socket.socket(family) as calling,
    ):
        calling.bind((host, port))
        calling.connect((server, server_port))
        with listening.accept()[0] as called:
            yield calling, called


def ask(number: int, local: Place, remote: Place) -> bytes:
    """The answer for one socket."""
    return answers(one(number, packed(local), packed(remote)))


def record(write: Callable[[str, bytes], object]) -> None:
    """Make the sockets and write each answer."""
    here, there = ("127.0.0.1", 40000), ("127.0.0.1", 80)
    here6, there6 = ("::1", 40006), ("::1", 86)
    with pair(*here, *there) as (calling, called):
        write("established-ipv4", ask(1, here, there))
        write("established-mapped", ask(2, there, here))
        write("only-a-listener", ask(3, there, ("127.0.0.1", 40001)))
        write("nothing", ask(4, ("127.0.0.1", 1), ("127.0.0.1", 2)))
        calling.close()
        called.close()
        select.select([], [], [], 0.1)
        write("time-wait", ask(5, here, there))
    with pair(*here6, *there6):
        write("established-ipv6", ask(6, here6, there6))
        with socket.create_server(("::1", 87), family=socket.AF_INET6, backlog=8) as waiting:
            with socket.socket(socket.AF_INET6) as calling:
                calling.bind(("::1", 40007))
                calling.connect(("::1", 87))
                write("not-accepted", ask(7, ("::1", 87), ("::1", 40007)))
            with socket.socket(socket.AF_INET6) as only6:
                only6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                only6.bind(("::", 88))
                only6.listen()
                write("listeners", answers(every(8, 1 << LISTEN)))
            del waiting
        write("all", answers(every(9)))
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
            bound.bind(("127.0.0.1", 40008))
            bound.connect(("127.0.0.1", 86))
            write("bound", answers(every(10, ~(1 << LISTEN) & 0xFFFFFFFF, bound=True)))
    endings(write)


def endings(write: Callable[[str, bytes], object]) -> None:
    """A close and a reset, as those who listen are told; both of a client and of its server."""
    for name, port, reset in (("ended", 40009, False), ("reset", 40010, True)):
        with (
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as told,
            pair("127.0.0.1", port, "127.0.0.1", 80) as (calling, called),
        ):
            told.bind((0, DESTROY_GROUPS))
            told.setblocking(False)
            if reset:
                calling.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            calling.close()
            called.close()
            select.select([], [], [], 0.1)
            pieces = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    pieces.append(told.recv(1 << 16))
            write(name, b"".join(pieces))


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = Path(sys.argv[1])
    record(lambda name, answer: (folder / f"{name}.bin").write_bytes(answer))
