"""Bytes of the kernel's rings to rows; damage is no harm."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.tracing.decoding_kernel import COUNT, PLACES, POSITION, decode_perf
from tcpsnoop.owners.tracing.events import (
    BELIEVED,
    DESTROYED,
    EVENT,
    EXECUTED,
    EXITED,
    FORKED,
    LOST,
    NAMED,
    NAMESPACE,
    RECEIVED,
    SENT,
    STATE,
)
from tcpsnoop.owners.tracing.layout import layout_of
from tests.owners.tracing.records import (
    TRACEPOINTS,
    call_record,
    destroy_record,
    sample,
    side,
    state_record,
)

LAYOUT = layout_of(TRACEPOINTS)
SOCKET = 0xFFFF88814A0465C0
HERE, THERE = ("127.0.0.1", 42874), ("127.0.0.2", 37155)
HERE6, THERE6 = ("fe80::1:2", 1), ("::ffff:10.0.0.9", 65535)


def decoded(data: bytes, room: int = 64) -> NDArray[np.void]:
    events, progress = np.zeros(room, EVENT), np.zeros(PLACES, np.int64)
    decode_perf(np.frombuffer(bytearray(data), np.uint8), len(data), LAYOUT, events, progress)
    assert progress[POSITION] <= len(data)
    return events[: int(progress[COUNT])]


def signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


@pytest.mark.parametrize(("local", "remote"), [(HERE, THERE), (HERE6, THERE6)])
def test_a_change_of_state(local: Any, remote: Any) -> None:
    (row,) = decoded(sample(state_record(SOCKET, (7, 2), local, remote), 14400, 14401, 1234))
    assert (row["kind"], row["flags"], row["old"], row["new"]) == (STATE, BELIEVED, 7, 2)
    assert (row["pid"], row["tid"], row["time_ns"], row["cgroup"]) == (14400, 14401, 1234, 9)
    assert row["socket"] == signed(SOCKET)
    assert (row["laddr_high"], row["laddr_low"]) == halves(local[0])
    assert (row["raddr_high"], row["raddr_low"]) == halves(remote[0])
    assert (row["lport"], row["rport"]) == (local[1], remote[1])


@pytest.mark.parametrize("flag", [0x08, 0x10, 0x40, 0x18])
def test_an_interrupt_is_not_believed(flag: int) -> None:
    (row,) = decoded(sample(state_record(SOCKET, (10, 3), HERE, THERE, flag), 1, 1, 1))
    assert row["flags"] == 0


@pytest.mark.parametrize("flag", [0x01, 0x04, 0x80])
def test_disabled_interrupts_are_still_the_process(flag: int) -> None:
    (row,) = decoded(sample(state_record(SOCKET, (10, 3), HERE, THERE, flag), 1, 1, 1))
    assert row["flags"] == BELIEVED


@pytest.mark.parametrize(
    ("number", "kind", "result", "flags", "length"),
    [
        (2284, SENT, 100, 0, 100),
        (2284, SENT, -11, 0, -11),
        (2283, RECEIVED, 100, 0, 100),
        (2283, RECEIVED, 100, 2, 0),  # MSG_PEEK takes nothing
        (2283, RECEIVED, -104, 0, -104),
    ],
)
def test_a_call(number: int, kind: int, result: int, flags: int, length: int) -> None:
    (row,) = decoded(sample(call_record(number, SOCKET, result, flags), 5, 5, 1))
    assert (row["kind"], row["length"], row["socket"]) == (kind, length, signed(SOCKET))


def test_other_protocols_and_other_tracepoints_are_left_out() -> None:
    others = (
        sample(call_record(2284, SOCKET, 1, protocol=17), 5, 5, 1),
        sample(state_record(SOCKET, (7, 2), HERE, THERE, protocol=132), 5, 5, 1),
        sample(call_record(9999, SOCKET, 1), 5, 5, 1),
    )
    assert len(decoded(b"".join(others))) == 0


def test_the_end_of_a_socket_has_its_cookie() -> None:
    (row,) = decoded(sample(destroy_record(SOCKET, 4097, HERE6, THERE6), 5, 5, 1))
    assert (row["kind"], row["cookie"]) == (DESTROYED, 4097)
    assert (row["laddr_high"], row["laddr_low"]) == halves(HERE6[0])
    assert (row["lport"], row["rport"]) == (1, 65535)


def test_processes() -> None:
    name = b"Web Content\0\0\0\0\0"
    rows = decoded(
        side(7, struct.pack("<iiiiQ", 30, 20, 30, 21, 8), 10)
        + side(3, struct.pack("<ii", 30, 30) + name, 11, misc=1 << 13)
        + side(3, struct.pack("<ii", 30, 31) + name, 12)
        + side(16, struct.pack("<iiQQQ", 30, 30, 1, 4, 4026531833), 13)
        + side(4, struct.pack("<iiiiQ", 30, 20, 30, 21, 8), 14)
        + side(2, struct.pack("<QQ", 1, 12), 15)
    )
    assert rows["kind"].tolist() == [FORKED, NAMED, NAMED, NAMESPACE, EXITED, LOST]
    assert rows["time_ns"].tolist() == [10, 11, 12, 13, 14, 15]
    assert rows["pid"].tolist()[:5] == [30] * 5
    assert rows["tid"].tolist()[:5] == [30, 30, 31, 30, 30]
    assert rows["length"].tolist()[0] == 20
    assert rows["length"].tolist()[5] == 12
    assert rows["flags"].tolist()[1:3] == [EXECUTED, 0]
    words = rows[["laddr_high", "laddr_low"]][1].tolist()
    assert struct.pack(">qq", *words) == name
    assert rows["socket"][3] == 4026531833


def test_what_does_not_fit_is_decoded_by_the_next_call() -> None:
    data = b"".join(sample(call_record(2284, SOCKET, n), 5, 5, n) for n in range(1, 8))
    buffer = np.frombuffer(bytearray(data), np.uint8)
    progress, found = np.zeros(PLACES, np.int64), []
    while progress[POSITION] < len(data):
        events = np.zeros(3, EVENT)
        progress[COUNT] = 0
        decode_perf(buffer, len(data), LAYOUT, events, progress)
        found += events["length"][: int(progress[COUNT])].tolist()
    assert found == [1, 2, 3, 4, 5, 6, 7]


@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_damage_ends_the_decoding_and_nothing_else(data: bytes, cut: int) -> None:
    whole = sample(state_record(SOCKET, (7, 2), HERE, THERE), 5, 5, 1)
    decoded(data)
    assert len(decoded(whole[:cut])) == (cut >= len(whole))
    mixed = bytearray(whole + data)
    mixed[cut % len(mixed)] ^= 0xFF
    decoded(bytes(mixed))
