"""Messages of sock_diag, as a kernel wrote them, and requests byte by byte."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from tcpsnoop.owners.diag.messages import DiagSocket, Message, every, messages, one
from tests.owners.proc_tree import Place, packed

STORED = Path(__file__).with_name("stored")
HERE, THERE = ("127.0.0.1", 40000), ("127.0.0.1", 80)
HERE6, THERE6 = ("::1", 40006), ("::1", 86)
NOBODY4, NOBODY6 = ("0.0.0.0", 0), ("::", 0)

# Numbers of include/net/tcp_states.h.
ESTABLISHED, TIME_WAIT, CLOSE, LISTEN = 1, 6, 7, 10

recorded = pytest.mark.skipif(
    sys.byteorder != "little", reason="the answers are of a little-endian machine"
)


def stored(name: str) -> list[Message]:
    return list(messages((STORED / f"{name}.bin").read_bytes()))


def told(
    state: int, local: Place, remote: Place, cookie: int, inode: int, *, device: int = 0,
    only_ipv6: bool = False,
) -> DiagSocket:  # fmt: skip
    return DiagSocket(state, packed(local), packed(remote), device, cookie, inode, only_ipv6)


@recorded
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("established-ipv4", told(ESTABLISHED, HERE, THERE, 1539447, 2676319)),
        ("established-ipv6", told(ESTABLISHED, HERE6, THERE6, 1539451, 2676334)),
        # an IPv6 socket that speaks IPv4: of the same form as one of IPv4
        ("established-mapped", told(ESTABLISHED, THERE, HERE, 1539448, 2676320)),
        ("not-accepted", told(ESTABLISHED, ("::1", 87), ("::1", 40007), 1539452, 0)),
        # the cookie of its socket, whose inode was given back
        ("time-wait", told(TIME_WAIT, HERE, THERE, 1539447, 0)),
        ("only-a-listener", told(LISTEN, ("::", 80), NOBODY6, 1539449, 2676318)),
    ],
)
def test_a_socket_is_read_out_of_the_answer(name: str, expected: DiagSocket) -> None:
    (message,) = stored(name)
    assert message.socket == expected
    assert message.error == 0


@recorded
def test_no_socket_is_an_error() -> None:
    assert stored("nothing") == [Message(4, None, 2)]  # ENOENT


@recorded
def test_listeners_come_with_the_end_of_the_answer() -> None:
    *found, end = stored("listeners")
    assert end == Message(8, None, 0)
    assert [each.socket for each in found] == [
        told(LISTEN, ("::1", 87), NOBODY6, 1539453, 2676345, only_ipv6=True),
        told(LISTEN, ("::", 86), NOBODY6, 1539454, 2676333),
        told(LISTEN, ("::", 88), NOBODY6, 1539455, 2676354, only_ipv6=True),
    ]
    assert {each.sequence for each in found} == {8}


@recorded
def test_all_sockets_in_the_order_of_the_kernel() -> None:
    *found, _ = stored("all")
    states = [each.socket.state for each in found if each.socket]
    assert states == [LISTEN, ESTABLISHED, TIME_WAIT, ESTABLISHED]


@recorded
def test_the_device_that_a_socket_is_bound_to() -> None:
    found, _ = stored("bound")
    here, there = ("127.0.0.1", 40008), ("127.0.0.1", 86)
    assert found.socket == told(ESTABLISHED, here, there, 1539458, 2676357, device=1)


@recorded
def test_a_socket_that_was_reset_has_lost_the_port_of_its_peer() -> None:
    client, server = ("127.0.0.1", 40010), ("127.0.0.1", 80)
    assert [each.socket for each in stored("reset")] == [
        told(CLOSE, client, ("127.0.0.1", 0), 1539465, 0),
        told(CLOSE, server, client, 1539466, 0),
    ]
    client = ("127.0.0.1", 40009)
    assert [each.socket for each in stored("ended")] == [
        told(CLOSE, client, server, 1539461, 0),
        told(CLOSE, server, client, 1539462, 0),
    ]


def request(family: int, local: bytes, remote: bytes, ports: bytes, device: int) -> bytes:
    """A header and a request for one socket, after linux/inet_diag.h."""
    body = struct.pack("=BBBBI", family, 6, 0, 0, 0xFFFFFFFF) + ports
    body += local.ljust(16, b"\0") + remote.ljust(16, b"\0")
    body += struct.pack("=I", device) + b"\xff" * 8
    return struct.pack("=IHHII", 16 + len(body), 20, 1, 7, 0) + body


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [
        (HERE, THERE, request(2, b"\x7f\0\0\1", b"\x7f\0\0\1", b"\x9c\x40\0\x50", 0)),
        (
            ("::ffff:127.0.0.1", 40000),
            ("::ffff:127.0.0.1", 80),
            request(2, b"\x7f\0\0\1", b"\x7f\0\0\1", b"\x9c\x40\0\x50", 0),
        ),
        (
            ("2001:db8::5", 1),
            ("::1", 2),
            request(10, bytes.fromhex("20010db8000000000000000000000005"), bytes(15) + b"\1",
                    b"\0\1\0\2", 0),
        ),
    ],
)  # fmt: skip
def test_a_request_for_one_socket(local: Place, remote: Place, expected: bytes) -> None:
    assert one(7, packed(local), packed(remote)) == expected


def test_a_request_among_those_bound_to_a_device() -> None:
    plain, bound = (one(7, packed(HERE6), packed(THERE6), device) for device in (0, 5))
    assert len(plain) == len(bound) == 72
    assert bound == plain[:60] + struct.pack("=I", 5) + plain[64:]


def test_a_request_for_all_names_the_states() -> None:
    whole = every(9, 1 << LISTEN)
    assert struct.unpack_from("=IHHII", whole) == (len(whole), 18, 0x301, 9, 0)
    assert whole[16:] == bytes(4 + 48) + struct.pack("=II", 1 << LISTEN, 0)


@pytest.mark.parametrize(
    "broken",
    [
        struct.pack("=IHHII", 8, 20, 0, 1, 0),  # shorter than its own header
        struct.pack("=IHHII", 400, 20, 0, 1, 0) + bytes(100),  # longer than what came
        struct.pack("=IHHII", 16 + 71, 20, 0, 1, 0) + bytes(71),  # no whole socket
    ],
)
def test_what_is_no_answer_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"netlink|sock_diag"):
        list(messages(broken))


@recorded
def test_no_cut_answer_does_harm() -> None:
    """Whatever is missing at its end or zero in it: sockets, or an error of ours."""
    whole = (STORED / "listeners.bin").read_bytes()
    for length in range(len(whole)):
        for broken in (whole[:length], whole[:length] + bytes(len(whole) - length)):
            try:
                found = list(messages(broken))
            except ValueError:
                continue
            assert all(isinstance(each, Message) for each in found)


def test_messages_of_other_kinds_are_passed_over() -> None:
    assert list(messages(struct.pack("=IHHII", 16, 77, 0, 1, 0))) == []
    assert list(messages(b"")) == []
