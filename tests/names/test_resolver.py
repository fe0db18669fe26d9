"""The resolver: how many questions at a time, how long, and what becomes of late answers.

No question leaves this process: who answers is a function given by the test.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.names.hosts import Address
from tcpsnoop.names.resolver import Resolver, reverse_lookup
from tests.fixture_types import WaitUntil


def some_addresses(count: int) -> list[Address]:
    return [halves(f"10.0.{number // 250}.{number % 250}") for number in range(count)]


class Answers:
    """Answers when it is let, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.let = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, address: str) -> str | None:
        with self._lock:
            self.asked.append(address)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.let.wait()
        with self._lock:
            self.at_once -= 1
        return None if address.endswith(".9") else f"host-{address}"


@pytest.fixture
def answers() -> Iterator[Answers]:
    made = Answers()
    yield made
    made.let.set()  # no thread is left waiting


def test_every_answer_comes_back(answers: Answers) -> None:
    answers.let.set()
    addresses = some_addresses(40)
    found = Resolver(answers, seconds=60).resolve(addresses)
    assert list(found) == addresses
    assert found[addresses[3]] == "host-10.0.0.3"
    assert found[addresses[9]] is None


def test_nothing_is_asked_twice(answers: Answers) -> None:
    answers.let.set()
    resolver = Resolver(answers, seconds=60)
    addresses = some_addresses(20)
    resolver.resolve(addresses[:15])
    assert len(resolver.resolve(addresses)) == 20
    assert sorted(answers.asked) == sorted(set(answers.asked))


def test_no_addresses_are_no_threads(answers: Answers) -> None:
    assert Resolver(answers, seconds=60).resolve([]) == {}
    assert answers.asked == []


def test_sixteen_at_a_time_and_what_is_late_serves_the_next(
    answers: Answers, wait_until: WaitUntil
) -> None:
    resolver = Resolver(answers, at_a_time=16, seconds=0.05)
    addresses = some_addresses(40)
    assert resolver.resolve(addresses) == {}
    wait_until(lambda: answers.at_once == 16)
    # All are still out: no question can be asked, and nothing is waited for.
    assert resolver.resolve(addresses[20:]) == {}
    assert len(answers.asked) == 16
    answers.let.set()
    wait_until(lambda: len(resolver.resolve(addresses)) == 40)
    assert answers.most_at_once == 16
    assert sorted(answers.asked) == sorted(set(answers.asked))


def test_a_question_that_is_out_is_not_asked_again(answers: Answers, wait_until: WaitUntil) -> None:
    resolver = Resolver(answers, at_a_time=16, seconds=0.05)
    first, second = some_addresses(2)
    assert resolver.resolve([first]) == {}
    wait_until(lambda: answers.at_once == 1)
    assert resolver.resolve([first, second]) == {}
    wait_until(lambda: answers.at_once == 2)
    assert answers.asked == ["10.0.0.0", "10.0.0.1"]


def test_a_resolver_that_fails_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(address: tuple[str, int], flags: int) -> tuple[str, str]:
        assert flags == socket.NI_NAMEREQD  # an address as a name would be no news
        raise socket.gaierror(socket.EAI_NONAME, "no name")

    monkeypatch.setattr(socket, "getnameinfo", fails)
    assert reverse_lookup("192.0.2.1") is None


def test_the_systems_resolver_is_asked_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers_bass(address: tuple[str, int], flags: int) -> tuple[str, str]:
        return (f"bass-{address[0]}", "0")

    monkeypatch.setattr(socket, "getnameinfo", answers_bass)
    assert reverse_lookup("192.0.2.1") == "bass-192.0.2.1"
