"""Names from the system's resolver: many questions at a time, a limit on the time for all."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tcpsnoop.batches.addresses import text_of
from tcpsnoop.names.hosts import Address

AT_A_TIME = 16
SECONDS_FOR_ALL = 2.0

Ask = Callable[[str], str | None]
"""The name of an address given as text, None when it has none. It may take its time."""


def reverse_lookup(address: str) -> str | None:
    """What the system's resolver calls an address."""
    try:
        name, _ = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)
    except (OSError, UnicodeError):
        return None
    return name


@dataclass
class _Round:
    """The questions of one report: those nobody took yet, and how many are not answered."""

    waiting: deque[Address]
    unanswered: int


class Resolver:
    """Asks for names and remembers the answers, "it has none" too.

    A question that is not answered in time goes on in its thread, and its answer serves a later
    report; it is not waited for again, and until it ends there is a thread less for others.
    """

    def __init__(
        self,
        ask: Ask = reverse_lookup,
        at_a_time: int = AT_A_TIME,
        seconds: float = SECONDS_FOR_ALL,
    ) -> None:
        self._ask = ask
        self._at_a_time = at_a_time
        self._seconds = seconds
        self._answers: dict[Address, str | None] = {}
        self._changed = threading.Condition()
        self._out: set[Address] = set()  # asked, and not answered yet
        self._threads = 0

    def resolve(self, addresses: Sequence[Address]) -> dict[Address, str | None]:
        """The answers known when all have come, or when the time is over.

        Addresses (each once) that are not among them were not answered; None is an answer. The
        first are asked first.
        """
        with self._changed:
            asked = self._answers.keys() | self._out
            waiting = deque(one for one in addresses if one not in asked)
            current = _Round(waiting, len(waiting))
            threads = min(self._at_a_time - self._threads, len(waiting))
            self._threads += threads
        for _ in range(threads):
            # A daemon: a resolver that hangs must not keep the program from ending.
            threading.Thread(target=self._work, args=(current,), daemon=True).start()
        with self._changed:
            if threads:
                self._changed.wait_for(lambda: current.unanswered == 0, self._seconds)
            waiting.clear()
            return {one: self._answers[one] for one in addresses if one in self._answers}

    def _work(self, current: _Round) -> None:
        try:
            while True:
                with self._changed:
                    if not current.waiting:
                        return
                    address = current.waiting.popleft()
                    self._out.add(address)
                answer = self._ask(text_of(*address))
                with self._changed:
                    self._answers[address] = answer
                    self._out.remove(address)
                    current.unanswered -= 1
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._threads -= 1
