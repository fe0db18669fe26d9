"""Many short processes with a connection each, on few ports, for tests: `python churn.py COUNT MS`.

Each of COUNT processes connects to a server on loopback from one of 40 ports, holds the connection
for MS milliseconds and resets it, so that its port is free at once. Prints the server's PID and
port, waits for a line of input, works, and prints the truth of each process as JSON: PID, port,
and the nanoseconds of the system's clock before it connected and after it closed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
import time

FIRST_PORT, PORTS = 21000, 40
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time


def serve(server: socket.socket) -> None:
    """Accept connections and hold each until its peer resets it."""
    poll = select.epoll()
    poll.register(server, select.EPOLLIN)
    held: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == server.fileno():
                connection = server.accept()[0]
                held[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
            else:
                poll.unregister(number)
                held.pop(number).close()


def client(server_port: int, port: int, seconds: float, tell: int) -> None:
    """Connect, hold, reset; tell the truth."""
    began = time.clock_gettime_ns(time.CLOCK_REALTIME)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    connection.bind(("127.0.0.1", port))
    connection.connect(("127.0.0.1", server_port))
    select.select([], [], [], seconds)
    connection.close()
    ended = time.clock_gettime_ns(time.CLOCK_REALTIME)
    truth = {"pid": os.getpid(), "port": port, "began": began, "ended": ended}
    os.write(tell, json.dumps(truth).encode() + b"\n")


def main(count: int, milliseconds: float) -> None:
    """Run server and clients, a port at a time."""
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = server.getsockname()[1]
    serving = os.fork()
    if serving == 0:
        serve(server)
    server.close()
    sys.stdout.write(f"{serving} {port}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    on_port: dict[int, int] = {}  # PID → its port
    free = list(range(FIRST_PORT, FIRST_PORT + PORTS))
    for _ in range(count):
        if not free:
            free.append(on_port.pop(os.wait()[0]))
        mine = free.pop(0)
        pid = os.fork()
        if pid == 0:
            client(port, mine, milliseconds / 1000, sys.stdout.fileno())
            os._exit(0)
        on_port[pid] = mine
    while on_port:
        on_port.pop(os.wait()[0], None)
    os.kill(serving, signal.SIGTERM)
    os.waitpid(serving, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
