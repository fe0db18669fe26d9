"""A process that holds connections, for tests: run as `python holders.py MODE …`.

`serve HOST PORT REUSEPORT FORK` listens, prints its port and, told `accept`, accepts all that
waits. `connect HOST PORT COUNT FORK` connects. Then every process of it prints a line of JSON: its
PID, its start time and the two ends of each socket that it holds. It ends with its input.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def own_start_time() -> int:
    """Field 22 of /proc/self/stat (proc(5))."""
    with open("/proc/self/stat") as file:
        return int(file.read().rpartition(")")[2].split()[22 - 3])


def report(sockets: list[socket.socket]) -> None:
    """Print what this process holds."""
    ends = [[*each.getsockname()[:2], *each.getpeername()[:2]] for each in sockets]
    told = {"pid": os.getpid(), "start_time": own_start_time(), "sockets": ends}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def hold(sockets: list[socket.socket], fork: bool) -> None:
    """Report, in two processes if asked to, and stay until the input ends."""
    told, tell = os.pipe()
    if fork and os.fork() == 0:
        report(sockets)
        os.close(tell)
        sys.stdin.read()
        os._exit(0)
    os.close(tell)
    os.read(told, 1)  # the lines of two processes do not mix
    report(sockets)
    sys.stdin.read()


def serve(host: str, port: str, reuse_port: str, fork: str) -> None:
    """Listen, accept when told, hold."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if int(reuse_port):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((host, int(port)))
    server.listen(512)
    sys.stdout.write(f"{server.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    server.setblocking(False)
    accepted = []
    while True:
        try:
            accepted.append(server.accept()[0])
        except BlockingIOError:
            break
    server.close()
    hold(accepted, bool(int(fork)))


def connect(host: str, port: str, count: str, fork: str) -> None:
    """Connect and hold."""
    made = [socket.create_connection((host, int(port))) for _ in range(int(count))]
    hold(made, bool(int(fork)))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        connect(*sys.argv[2:])
