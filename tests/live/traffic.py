"""A server and its clients, for tests: `python traffic.py serve ADDRESS…` or `… call …`.

`serve` listens on a port of each address, prints its PID and the ports as JSON, and answers until
its input ends. `call ADDRESS PORT COUNT PAUSE` makes COUNT connections, one after the other, with
a request and an answer each and PAUSE seconds between them, and prints as JSON its PID and for each
connection its port and the bytes that went there and back. Every write is a segment of its own.
Neither lives longer than a minute.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading

LONGEST_SECONDS = 60
HEAD_BYTES = 8  # of a request: its own length and that of the answer
MOST_BYTES = 1000  # of a write: less than any segment holds


def family_of(address: str) -> socket.AddressFamily:
    """By the look of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sizes(number: int) -> tuple[int, int]:
    """Bytes of request and answer of a connection: every power of two comes up."""
    return HEAD_BYTES + number * 7 % (MOST_BYTES - HEAD_BYTES), 1 + number * 13 % MOST_BYTES


def receive(connection: socket.socket, count: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def answer_all(listening: socket.socket) -> None:
    """Answer one connection after the other."""
    while True:
        connection, _ = listening.accept()
        with connection:
            request, answer = map(int, receive(connection, HEAD_BYTES).decode().split(","))
            receive(connection, request - HEAD_BYTES)
            connection.sendall(bytes(answer))
            connection.recv(1)  # the client closes first


def serve(addresses: list[str]) -> None:
    """Listen on each address until the input ends."""
    listening = []
    for address in addresses:
        server = socket.socket(family_of(address))
        server.bind((address, 0))
        server.listen(128)
        listening.append(server)
    for server in listening:
        threading.Thread(target=answer_all, args=(server,), daemon=True).start()
    tell({"pid": os.getpid(), "ports": [server.getsockname()[1] for server in listening]})
    sys.stdin.read()


def call(address: str, port: int, count: int, pause: float) -> None:
    """Make connections and tell about them."""
    connections = []
    never = threading.Event()
    for number in range(count):
        never.wait(pause)
        request, answer = sizes(number)
        with socket.create_connection((address, port), timeout=10) as connection:
            mine = connection.getsockname()[1]
            connection.sendall(f"{request:3},{answer:4}".encode().ljust(request))
            receive(connection, answer)
        connections.append((mine, request, answer))
    tell({"pid": os.getpid(), "connections": connections})


def tell(what: object) -> None:
    """Print a line of JSON."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.alarm(LONGEST_SECONDS)
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    else:
        call(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
