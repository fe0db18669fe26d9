"""Processes that hold connections, for tests: `python holders.py serve|call NAME …`.

`serve NAME ADDRESS PORT REUSEPORT FORK` listens, prints its port, and accepts when it is told to.
`call NAME ADDRESS PORT COUNT FORK` connects when it is told to. NAME becomes the short name of the
process. With FORK a child shares every connection from then on. Then each process prints as JSON
its PID, its name and the two ends of each connection it holds. Told so again, the first one sends
a byte on each. It ends with its input, or after a minute.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

LONGEST_SECONDS = 60


def family_of(address: str) -> socket.AddressFamily:
    """By the look of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tell(what: object) -> None:
    """Print a line of JSON."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def told() -> None:
    """Wait for a line; the end of the input is the end."""
    if not sys.stdin.readline():
        os._exit(0)


def report(name: str, held: list[socket.socket]) -> None:
    """Tell what this process holds."""
    ends = [[*each.getsockname()[:2], *each.getpeername()[:2]] for each in held]
    tell({"pid": os.getpid(), "name": name, "ends": ends})


def hold(name: str, held: list[socket.socket], fork: bool) -> None:
    """Report, in two processes if asked to, and speak when told to."""
    told_by_child, tell_parent = os.pipe()
    parent_lives, _parents_end = os.pipe()
    if fork and os.fork() == 0:
        os.close(_parents_end)
        report(name, held)
        os.close(tell_parent)
        os.read(parent_lives, 1)
        os._exit(0)
    os.close(tell_parent)
    os.read(told_by_child, 1)  # the lines of two processes do not mix
    report(name, held)
    told()
    for each in held:
        each.sendall(b"x")
    told()


def serve(name: str, address: str, port: int, reuse_port: bool, fork: bool) -> None:
    """Listen, accept when told, hold."""
    server = socket.socket(family_of(address))
    if reuse_port:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((address, port))
    server.listen(128)
    tell(server.getsockname()[1])
    told()
    server.setblocking(False)
    held = []
    while True:
        try:
            held.append(server.accept()[0])
        except BlockingIOError:
            break
    for each in held:
        each.setblocking(True)
    hold(name, held, fork)


def call(name: str, address: str, port: int, count: int, fork: bool) -> None:
    """Connect when told, hold."""
    told()
    hold(name, [socket.create_connection((address, port)) for _ in range(count)], fork)


if __name__ == "__main__":
    signal.alarm(LONGEST_SECONDS)
    with open("/proc/self/comm", "w") as comm:
        comm.write(sys.argv[2])
    what, own_name, at, *numbers = sys.argv[1:]
    number, third, forks = map(int, numbers)
    if what == "serve":
        serve(own_name, at, number, bool(third), bool(forks))
    else:
        call(own_name, at, number, third, bool(forks))
