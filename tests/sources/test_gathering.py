"""Packets gather as long as the kernel's buffer surely holds them, and no longer."""

from __future__ import annotations

import pytest

from tcpsnoop.sources.gathering import Gathering

MIB = 1 << 20


def pause_after(buffer_bytes: int, *fetches: tuple[int, float]) -> float:
    gathering = Gathering(buffer_bytes)
    for size, at in fetches:
        gathering.fetched(size, at)
    return gathering.pause(fetches[-1][1])


def test_the_first_packets_are_fetched_at_once() -> None:
    assert Gathering(16 * MIB).pause(100.0) == 0


def test_after_few_packets_the_pause_is_short_enough_for_a_burst() -> None:
    assert pause_after(16 * MIB, (100, 1.0)) == pytest.approx(16 / 512)
    assert pause_after(1 * MIB, (100, 1.0)) == pytest.approx(1 / 512)


def test_at_a_high_rate_an_eighth_of_the_buffer_may_fill() -> None:
    # 1 MiB in 1 ms: 2 MiB take 2 ms.
    assert pause_after(16 * MIB, (100, 1.0), (MIB, 1.001)) == pytest.approx(0.002)


def test_the_pause_passes_while_others_are_at_work() -> None:
    gathering = Gathering(16 * MIB)
    gathering.fetched(100, 1.0)
    assert 0 < gathering.pause(1.02) < gathering.pause(1.0)
    assert gathering.pause(1.1) == 0
