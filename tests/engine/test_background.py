"""Jobs in a thread of their own: in order, beside the caller, with their errors handed back."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from tcpsnoop.engine.background import Background
from tcpsnoop.errors import CaptureError
from tests.fixture_types import WaitUntil


def fail() -> None:
    message = "report was not written whole"
    raise CaptureError(message)


def assert_waited(event: threading.Event) -> None:
    assert event.wait(10)


def test_jobs_are_done_in_order_in_another_thread() -> None:
    done: list[tuple[int, int]] = []
    background = Background()
    let_go = threading.Event()

    def job(number: int) -> None:
        assert let_go.wait(10)
        done.append((number, threading.get_ident()))

    for number in range(20):
        background.do(partial(job, number))
    let_go.set()
    background.finish()
    assert [number for number, _ in done] == list(range(20))
    threads = {thread for _, thread in done}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_the_caller_does_not_wait_and_finish_does() -> None:
    let_go, done = threading.Event(), threading.Event()

    def job() -> None:
        assert let_go.wait(10)
        done.set()

    background = Background()
    background.do(job)
    background.do(lambda: None)
    background.check()
    assert not done.is_set()
    let_go.set()
    background.finish()
    assert done.is_set()


def test_an_error_is_raised_at_the_next_check_once(wait_until: WaitUntil) -> None:
    background = Background()
    background.do(fail)
    raised: list[CaptureError] = []

    def told() -> bool:
        try:
            background.check()
        except CaptureError as error:
            raised.append(error)
        return bool(raised)

    wait_until(told)
    background.check()
    background.finish()
    assert [str(error) for error in raised] == ["report was not written whole"]


def test_an_error_is_raised_when_the_next_job_comes(wait_until: WaitUntil) -> None:
    background = Background()
    let_go, over = threading.Event(), threading.Event()
    background.do(lambda: assert_waited(let_go))
    background.do(fail)
    background.do(over.set)  # done after it
    let_go.set()
    wait_until(over.is_set)
    with pytest.raises(CaptureError):
        background.do(lambda: None)
    background.finish()


def test_finishing_raises_what_a_job_raised_after_the_others_are_done() -> None:
    done: list[int] = []
    background = Background()
    let_go = threading.Event()
    background.do(lambda: assert_waited(let_go))
    background.do(fail)
    background.do(lambda: done.append(1))
    let_go.set()
    with pytest.raises(CaptureError, match="not written whole"):
        background.finish()
    assert done == [1]


def test_finishing_without_a_job() -> None:
    Background().finish()
