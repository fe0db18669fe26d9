"""Keep-alives and zero-window probes are no retransmissions (SEMANTICS 7)."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.segments import ACK, FIN, PUSH, RST
from tests.provider.carried import sent_by
from tests.provider.fired import fired
from tests.provider.talk import Talk, Wire

SECOND_US = 1_000_000


@pytest.mark.parametrize("size", [0, 1])
def test_a_keep_alive(wire: Wire, connected: Talk, size: int) -> None:
    connected.a.data(100)
    connected.b.ack()
    connected.a.sends(ACK, size, sequence=1_100, after_us=SECOND_US)
    assert fired(wire, "keep-alive", "sent") == [(6, "a")]
    assert fired(wire, "retransmit") == []
    assert sent_by(wire, "a") == (2, 100, 0, size)


def test_a_byte_not_yet_acknowledged_is_a_retransmission(wire: Wire, connected: Talk) -> None:
    connected.a.data(100)
    connected.a.sends(ACK, 1, sequence=1_100)
    assert fired(wire, "keep-alive") == []
    assert fired(wire, "retransmit", "kind", "overlap") == [(5, "timeout", 1)]


@pytest.mark.parametrize(
    ("flags", "size", "sequence"),
    [
        (ACK | FIN, 0, 1_100),
        (ACK | RST, 0, 1_100),
        (ACK, 2, 1_100),
        (ACK, 1, 1_099),
        (ACK, 0, 1_101),
        (ACK, 1, 1_101),
    ],
)
def test_no_keep_alive(wire: Wire, connected: Talk, flags: int, size: int, sequence: int) -> None:
    connected.a.data(100)
    connected.b.ack()
    connected.a.sends(flags, size, sequence=sequence)
    assert fired(wire, "keep-alive") == []


@pytest.mark.parametrize(
    ("window", "size", "ahead", "probe"),
    [(0, 1, 0, True), (1, 1, 0, False), (0, 2, 0, False), (0, 0, 0, False), (0, 1, 1, False)],
)
def test_a_window_probe_is_one_byte_at_the_next_expected_into_a_window_of_zero(
    wire: Wire, connected: Talk, window: int, size: int, ahead: int, probe: bool
) -> None:
    connected.a.data(100)
    connected.b.ack(window=window)
    connected.a.sends(ACK | PUSH, size, sequence=1_101 + ahead)
    assert fired(wire, "window-probe", "sent") == ([(6, "a")] if probe else [])
    assert fired(wire, "retransmit") == []
    assert sent_by(wire, "a")[3] == int(probe)
