"""Ctrl-C and SIGTERM are a request to stop while somebody listens to it."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tcpsnoop.engine.signals import StopRequest

both = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture
def terminations() -> Iterator[list[int]]:
    """SIGTERMs that reached somebody else: a handler that was there before, as SIGINT has one."""
    seen: list[int] = []

    def handler(number: int, frame: Any) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    yield seen
    signal.signal(signal.SIGTERM, before)


def test_nobody_has_asked_at_first() -> None:
    with StopRequest() as stop:
        assert not stop.asked


@both
def test_a_signal_asks_and_a_second_is_no_worse(number: signal.Signals) -> None:
    with StopRequest() as stop:
        signal.raise_signal(number)
        assert stop.asked
        signal.raise_signal(number)
        assert stop.asked


def test_afterwards_signals_do_what_they_did(terminations: list[int]) -> None:
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGTERM)
    assert (stop.asked, terminations) == (True, [])
    signal.raise_signal(signal.SIGTERM)
    assert terminations == [signal.SIGTERM]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_also_after_an_error(terminations: list[int]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), StopRequest():
        divmod(1, 0)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_ignored_signal_is_ignored_again_afterwards() -> None:
    """As a shell starts its background jobs."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGINT)
        assert stop.asked
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_call_that_waits_goes_on_waiting(terminations: list[int]) -> None:
    """Nothing is raised out of it; here the signal comes before what it waits for."""
    main = threading.main_thread().ident
    assert main is not None
    reading, writing = os.pipe()

    def signal_then_write() -> None:
        signal.pthread_kill(main, signal.SIGTERM)
        os.write(writing, b"x")

    with StopRequest() as stop:
        other = threading.Thread(target=signal_then_write)
        other.start()
        assert select.select([reading], [], [], 10)[0] == [reading]
        other.join()
        assert stop.asked
    assert terminations == []
    os.close(reading)
    os.close(writing)
