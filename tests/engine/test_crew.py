"""Steps of tasks by whoever has time: in order, never two of one at once, errors handed back."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Iterator
from functools import partial

import pytest

from tcpsnoop.engine.crew import Crew, Lane, helpers
from tcpsnoop.errors import UsageError
from tests.fixture_types import WaitUntil


def lanes_of(crew: Crew, count: int) -> list[Lane]:
    lanes = [Lane() for _ in range(count)]
    for lane in lanes:
        crew.take_on(lane)
    return lanes


def done(*lanes: Lane) -> bool:
    return not any(map(len, lanes))


def fail() -> None:
    raise KeyError("report was not written whole")


@pytest.fixture
def crew() -> Iterator[Crew]:
    """One with a single helper."""
    with Crew(1) as made:
        yield made


@pytest.mark.parametrize("count", [0, 1, 3])
def test_jobs_of_a_lane_are_done_in_order_and_never_two_at_once(count: int) -> None:
    found: list[list[int]] = [[], []]
    inside, never = [threading.Lock(), threading.Lock()], threading.Event()

    def job(lane: int, number: int) -> None:
        assert inside[lane].acquire(blocking=False)
        assert not never.wait(0.0005)
        found[lane].append(number)
        inside[lane].release()

    with Crew(count) as crew:
        lanes = lanes_of(crew, 2)
        for number in range(40):
            for place, lane in enumerate(lanes):
                lane.add(partial(job, place, number))
            crew.tell()
        assert crew.wait(lambda: done(*lanes))
    assert found == [list(range(40))] * 2


def test_helpers_work_while_nobody_waits(crew: Crew, wait_until: WaitUntil) -> None:
    (lane,) = lanes_of(crew, 1)
    threads: list[int] = []
    lane.add(lambda: threads.append(threading.get_ident()))
    crew.tell()
    wait_until(lambda: bool(threads))
    assert threads[0] != threading.get_ident()


def test_who_waits_helps_while_the_helper_is_busy(crew: Crew) -> None:
    """Each holds the other up: so both work, and the one who waits has taken the last lane."""
    first, last = lanes_of(crew, 2)
    both = threading.Barrier(2)
    threads: dict[str, int] = {}

    def job(name: str) -> None:
        both.wait(10)
        threads[name] = threading.get_ident()

    first.add(partial(job, "first"))
    last.add(partial(job, "last"))
    crew.tell()
    assert crew.wait(lambda: done(first, last), 20)
    assert threading.get_ident() in threads.values()
    assert len(set(threads.values())) == 2


def test_without_helpers_whoever_waits_does_everything_from_the_last_task_on() -> None:
    with Crew(0) as crew:
        first, last = lanes_of(crew, 2)
        found: list[str] = []
        first.add(lambda: found.append("first"))
        last.add(lambda: found.append("last"))
        last.add(lambda: found.append("last again"))
        assert crew.wait(lambda: done(first, last))
    assert found == ["last", "last again", "first"]


def test_waiting_ends_in_time(crew: Crew) -> None:
    began = time.monotonic()
    assert not crew.wait(lambda: False, 0.05)
    assert 0.05 <= time.monotonic() - began < 2
    assert crew.wait(lambda: True, 0)


def test_an_error_is_raised_once_by_waiting_and_its_job_is_over(
    crew: Crew, wait_until: WaitUntil
) -> None:
    (lane,) = lanes_of(crew, 1)
    found: list[int] = []
    lane.add(fail)
    lane.add(lambda: found.append(1))
    crew.tell()
    wait_until(lambda: done(lane))
    with pytest.raises(KeyError, match="not written whole"):
        crew.wait(lambda: True)
    assert crew.wait(lambda: True)
    assert found == [1]


def test_an_error_of_the_one_who_waits_is_raised_too() -> None:
    with Crew(0) as crew:
        (lane,) = lanes_of(crew, 1)
        lane.add(fail)
        with pytest.raises(KeyError):
            crew.wait(lambda: done(lane))


def test_leaving_ends_the_threads_and_what_has_not_begun_is_not_done() -> None:
    before = threading.active_count()
    begun, let_go, found = threading.Event(), threading.Event(), []

    def job() -> None:
        begun.set()
        assert let_go.wait(10)
        found.append(1)

    with Crew(2) as crew:
        (lane,) = lanes_of(crew, 1)
        lane.add(job)
        lane.add(lambda: found.append(2))
        crew.tell()
        assert begun.wait(10)
        threading.Timer(0.1, let_go.set).start()
    assert found == [1]
    assert threading.active_count() <= before + 1  # the timer's may not be over yet


def test_a_task_that_is_let_go_ends_its_step_and_is_not_kept(crew: Crew) -> None:
    (lane,) = lanes_of(crew, 1)
    begun, let_go, found = threading.Event(), threading.Event(), []

    def job() -> None:
        begun.set()
        assert let_go.wait(10)
        found.append(1)

    lane.add(job)
    lane.add(lambda: found.append(2))
    crew.tell()
    assert begun.wait(10)
    threading.Timer(0.05, let_go.set).start()
    crew.let_go(lane)
    assert found == [1]
    kept = weakref.ref(lane)
    del lane
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize(
    ("threads", "expected"), [("1", 0), ("2", 1), ("3", 2), ("64", 2), ("0", 0)]
)
def test_threads_that_the_environment_asks_for(
    monkeypatch: pytest.MonkeyPatch, threads: str, expected: int
) -> None:
    monkeypatch.setenv("TCPSNOOP_THREADS", threads)
    assert helpers() == expected


@pytest.mark.parametrize("threads", ["two", "-1", "1.5", "\x1b[31m2", "²"])
def test_threads_that_are_no_number_are_refused(
    monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("TCPSNOOP_THREADS", threads)
    with pytest.raises(UsageError, match="TCPSNOOP_THREADS") as refused:
        helpers()
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("cores", "expected"), [({3}, 0), ({0, 1}, 1), (set(range(8)), 2)])
def test_no_more_threads_than_cores(
    monkeypatch: pytest.MonkeyPatch, cores: set[int], expected: int
) -> None:
    monkeypatch.delenv("TCPSNOOP_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    assert helpers() == expected
