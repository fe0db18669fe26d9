"""From the last byte of a request to the first of its answer (SEMANTICS 10).

SYN to SYN|ACK takes 200 us in the handshake of `connected`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.fired import fired
from tests.provider.talk import Talk, Wire

SECOND_US = 1_000_000


def first_bytes(wire: Wire) -> list[tuple[Any, ...]]:
    """Packet, microseconds since the request, and less the network's, and who spoke first."""
    found = fired(wire, "first-byte", "elapsed_ns", "latency_ns", "kind")
    # No end is known to be local (rule 5): both see each.
    assert found[::2] == found[1::2]
    found = found[::2]
    return [
        (packet, elapsed / 1000, latency if latency < 0 else latency / 1000, kind)
        for packet, elapsed, latency, kind in found
    ]


def test_a_request_and_its_answer(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.ack()
    connected.b.push(500, after_us=4_800)
    connected.b.push(500)
    assert first_bytes(wire) == [(6, 5_000, 4_800, 0)]
    assert sorted(fired(wire, "first-byte", "left")) == [(6, "a"), (6, "b")]


def test_from_the_last_byte_of_the_request(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.push(100, after_us=SECOND_US)
    connected.b.push(5, after_us=900)
    assert first_bytes(wire) == [(6, 900, 700, 0)]


def test_every_turn(wire: Wire, connected: Talk) -> None:
    for after_us in (1_000, 2_000, 3_000):
        connected.a.push(10)
        connected.b.push(10, after_us=after_us)
        connected.b.push(10)
    assert [each[1] for each in first_bytes(wire)] == [1_000, 2_000, 3_000]


def test_the_latency_of_the_application_is_not_below_zero(wire: Wire, connected: Talk) -> None:
    connected.a.push(10)
    connected.b.push(10, after_us=150)
    assert first_bytes(wire) == [(5, 150, 0, 0)]


def test_midstream_the_networks_part_is_unknown(wire: Wire, talk: Talk) -> None:
    talk.a.push(10)
    talk.b.push(10, after_us=150)
    assert first_bytes(wire) == [(2, 150, -1, 0)]


def test_a_retransmitted_request_does_not_restart_the_clock(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.a.push(100, sequence=1_001, after_us=SECOND_US)
    connected.b.push(5, after_us=100)
    assert first_bytes(wire) == [(6, SECOND_US + 100, SECOND_US - 100, 0)]


def test_a_retransmitted_answer_is_no_first_byte(wire: Wire, connected: Talk) -> None:
    connected.a.push(100)
    connected.b.push(50)
    connected.a.push(100)
    connected.b.push(50, sequence=5_001, after_us=100)
    connected.b.push(50, after_us=100)
    assert [(packet, us) for packet, us, _, _ in first_bytes(wire)] == [(5, 200), (8, 200)]


def test_a_server_that_speaks_first_is_measured_from_the_handshakes_ack(
    wire: Wire, connected: Talk
) -> None:
    connected.b.push(40, after_us=7_000)
    connected.b.push(40, after_us=7_000)
    connected.a.push(10)
    connected.b.push(40, after_us=3_000)
    assert first_bytes(wire) == [(4, 7_000, 6_800, 1), (7, 3_000, 2_800, 0)]


def test_a_server_seen_speaking_midstream_has_no_beginning(wire: Wire, talk: Talk) -> None:
    talk.b.push(40)
    assert first_bytes(wire) == []


@pytest.mark.parametrize("size", [0, 1])
def test_a_keep_alive_asks_for_nothing(wire: Wire, connected: Talk, size: int) -> None:
    connected.a.push(10)
    connected.b.push(10)
    connected.a.data(size, sequence=1_010, after_us=SECOND_US)
    connected.b.push(10)
    assert [each[0] for each in first_bytes(wire)] == [5]


def test_data_on_the_syn_is_a_request(wire: Wire, talk: Talk) -> None:
    talk.a.syn(100)
    talk.b.syn_ack()
    talk.b.push(10, after_us=1_000)
    assert first_bytes(wire) == [(3, 1_200, 1_000, 0)]


def test_time_that_goes_back_counts_as_none(wire: Wire, connected: Talk) -> None:
    connected.a.push(10)
    connected.b.push(10, after_us=-50)
    assert first_bytes(wire) == [(5, 0, 0, 0)]
