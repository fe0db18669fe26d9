"""Looking takes its share of the time, and no more."""

from __future__ import annotations

from tcpsnoop.owners.budget import TimeBudget
from tests.owners.proc_tree import Clock


def test_what_is_saved_up_is_the_time_that_may_be_spent(clock: Clock) -> None:
    budget = TimeBudget(0.25, 1.0, 0.5, clock)
    assert budget.begin() == clock.now + 1.0
    clock.forward(0.25)
    budget.end()
    # 0.75 s left, and a quarter of the 0.25 s that passed
    assert budget.begin() == clock.now + 0.75 + 0.0625


def test_no_more_than_the_burst_is_saved_up(clock: Clock) -> None:
    budget = TimeBudget(0.25, 1.0, 0.5, clock)
    clock.forward(1000)
    assert budget.begin() == clock.now + 1.0


def test_work_does_not_begin_with_less_than_the_least(clock: Clock) -> None:
    budget = TimeBudget(0.25, 1.0, 0.5, clock)
    budget.begin()
    clock.forward(0.75)
    budget.end()
    assert budget.begin() is None  # 0.25 s left and a quarter of 0.75 s gained: 0.4375 s
    clock.forward(0.25)
    assert budget.begin() == clock.now + 0.5


def test_an_overrun_is_paid_back_so_the_share_holds(clock: Clock) -> None:
    budget = TimeBudget(0.25, 0.125, 0.0625, clock)
    worked = 0.0
    began = clock.now
    for _ in range(10_000):
        if budget.begin() is None:
            clock.forward(0.015625)
        else:
            clock.forward(0.5)  # each step takes four times what may be saved up
            worked += 0.5
            budget.end()
    assert worked > 0
    assert worked <= 0.25 * (clock.now - began) + 0.125 + 0.5


def test_ending_twice_pays_once(clock: Clock) -> None:
    budget = TimeBudget(0.25, 1.0, 0.5, clock)
    budget.begin()
    clock.forward(0.25)
    budget.end()
    budget.end()
    assert budget.begin() == clock.now + 0.75 + 0.0625


def test_while_others_have_the_processor_a_quarter_of_the_time_counts(clock: Clock) -> None:
    processor = Clock()
    budget = TimeBudget(0.25, 1.0, 0.25, clock, processor)
    budget.begin()
    clock.forward(1.0)
    processor.forward(0.5)  # more than a quarter of it
    budget.end()
    assert budget.begin() == clock.now + 0.5 + 0.25
    clock.forward(1.0)
    processor.forward(0.125)
    budget.end()
    assert budget.begin() == clock.now + 0.75 - 0.25 + 0.25
