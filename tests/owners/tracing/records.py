"""Records as Linux 6.18 writes them on x86-64, for tests: layouts, and bytes by those."""

from __future__ import annotations

import ipaddress
import struct

from tcpsnoop.owners.tracing.formats import NEEDED, Tracepoint

_COMMON = {"common_type": (0, 2), "common_flags": (2, 1), "common_pid": (4, 4)}

TRACEPOINTS = {
    "sock:inet_sock_set_state": Tracepoint(
        2287,
        _COMMON
        | {
            "skaddr": (8, 8), "oldstate": (16, 4), "newstate": (20, 4), "sport": (24, 2),
            "dport": (26, 2), "family": (28, 2), "protocol": (30, 2), "saddr": (32, 4),
            "daddr": (36, 4), "saddr_v6": (40, 16), "daddr_v6": (56, 16),
        },
    ),
    "sock:sock_send_length": Tracepoint(
        2284,
        _COMMON
        | {"sk": (8, 8), "family": (16, 2), "protocol": (18, 2), "ret": (20, 4), "flags": (24, 4)},
    ),
    "sock:sock_recv_length": Tracepoint(
        2283,
        _COMMON
        | {"sk": (8, 8), "family": (16, 2), "protocol": (18, 2), "ret": (20, 4), "flags": (24, 4)},
    ),
    "tcp:tcp_destroy_sock": Tracepoint(
        2278,
        _COMMON
        | {
            "skaddr": (8, 8), "sport": (16, 2), "dport": (18, 2), "family": (20, 2),
            "saddr": (22, 4), "daddr": (26, 4), "saddr_v6": (30, 16), "daddr_v6": (46, 16),
            "sock_cookie": (64, 8),
        },
    ),
    "task:task_newtask": Tracepoint(
        205, _COMMON | {"pid": (8, 4), "comm": (12, 16), "clone_flags": (32, 8)}
    ),
    "task:task_rename": Tracepoint(204, _COMMON | {"pid": (8, 4), "newcomm": (28, 16)}),
    "sched:sched_process_exec": Tracepoint(365, _COMMON | {"pid": (12, 4)}),
    "sched:sched_process_exit": Tracepoint(370, _COMMON | {"pid": (24, 4)}),
}  # fmt: skip
assert TRACEPOINTS.keys() == NEEDED.keys()


def common(number: int, flags: int = 0, thread: int = 77) -> bytes:
    """What every record begins with."""
    return struct.pack("<HBBi", number, flags, 0, thread)


def both(address: str) -> tuple[bytes, bytes]:
    """An address as its IPv4 and IPv6 fields have it."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed.packed, bytes(10) + b"\xff\xff" + parsed.packed
    return bytes(4), parsed.packed


def state_record(
    socket: int, change: tuple[int, int], local: tuple[str, int], remote: tuple[str, int],
    flags: int = 0, protocol: int = 6,
) -> bytes:  # fmt: skip
    """A record of sock:inet_sock_set_state."""
    family = 10 if ":" in local[0] else 2
    (local4, local6), (remote4, remote6) = both(local[0]), both(remote[0])
    ports = struct.pack("<HHHH", local[1], remote[1], family, protocol)
    head = common(2287, flags) + struct.pack("<Qii", socket, *change)
    return head + ports + local4 + remote4 + local6 + remote6


def call_record(number: int, socket: int, result: int, flags: int = 0, protocol: int = 6) -> bytes:
    """A record of sock:sock_send_length or sock:sock_recv_length."""
    return common(number) + struct.pack("<QHHii", socket, 2, protocol, result, flags)


def destroy_record(
    socket: int, cookie: int, local: tuple[str, int], remote: tuple[str, int]
) -> bytes:
    """A record of tcp:tcp_destroy_sock."""
    family = 10 if ":" in local[0] else 2
    (local4, local6), (remote4, remote6) = both(local[0]), both(remote[0])
    head = common(2278) + struct.pack("<QHHH", socket, local[1], remote[1], family)
    return head + local4 + remote4 + local6 + remote6 + bytes(2) + struct.pack("<Q", cookie)


def sample(raw: bytes, pid: int, tid: int, time: int, cgroup: int = 9) -> bytes:
    """PERF_RECORD_SAMPLE with TID, TIME, RAW and CGROUP (perf_event_open(2))."""
    padded = raw + bytes(-(len(raw) + 4) % 8)
    body = struct.pack("<iiQI", pid, tid, time, len(padded)) + padded + struct.pack("<Q", cgroup)
    return struct.pack("<IHH", 9, 0, 8 + len(body)) + body


def side(kind: int, body: bytes, time: int, misc: int = 0) -> bytes:
    """Another record, which ends with PID, TID and time."""
    whole = body + struct.pack("<iiQ", 1, 1, time)
    return struct.pack("<IHH", kind, misc, 8 + len(whole)) + whole
