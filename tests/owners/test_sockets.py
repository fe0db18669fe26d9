"""Places, and what tells one socket from another."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.sockets import Socket, parts, place, who_listens
from tests.owners.proc_tree import packed


def test_a_place_is_the_address_and_the_port_in_network_order() -> None:
    assert place(*halves("2001:db8::ff"), 0x1234) == bytes.fromhex(
        "20010db80000000000000000000000ff 1234"
    )
    assert place(*halves("192.168.1.5"), 80) == bytes.fromhex(
        "00000000000000000000ffffc0a80105 0050"
    )
    assert place(*halves("ffff::"), 1)[:2] == b"\xff\xff"


def test_ipv4_is_the_same_in_both_of_its_forms() -> None:
    assert place(*halves("192.168.1.5"), 80) == place(*halves("::ffff:192.168.1.5"), 80)


@pytest.mark.parametrize(
    ("socket", "inodes", "cookie", "same"),
    [
        (Socket(1, 500, 7), (500,), 7, True),
        (Socket(6, 0, 7), (500,), 7, True),  # closed since
        (Socket(1, 500, 8), (500,), 7, False),  # the inode was given to another socket
        (Socket(1, 0, 8), (500,), 7, False),  # nobody has accepted the next one yet
        (Socket(1, 500), (500, 501), 0, True),  # a table tells no cookies
        (Socket(1, 502), (500, 501), 0, False),
        (Socket(6, 0), (500,), 0, True),
        (Socket(1, 500, 8), (500,), 0, True),
    ],
)
def test_the_cookie_tells_sockets_apart_else_the_inode(
    socket: Socket, inodes: tuple[int, ...], cookie: int, same: bool
) -> None:
    assert socket.is_one_of(inodes, cookie) is same


def test_all_groups_at_the_exact_address_but_the_first_at_a_wildcard() -> None:
    asked = []
    bound: dict[bytes, list[tuple[int, ...]]] = {
        packed(("192.168.1.5", 80)): [(1,), (), (2, 3)],
        packed(("0.0.0.0", 81)): [(), (4,), (5,)],
        packed(("::", 81)): [(6,)],
        packed(("::", 82)): [(7,)],
    }

    def groups(where: bytes) -> list[tuple[int, ...]]:
        asked.append(where)
        return bound.get(where, [])

    assert who_listens(packed(("192.168.1.5", 80)), groups) == (1, 2, 3)
    assert asked == [packed(("192.168.1.5", 80))]
    assert who_listens(packed(("192.168.1.5", 81)), groups) == (4,)
    assert who_listens(packed(("2001:db8::1", 81)), groups) == (6,)
    assert who_listens(packed(("192.168.1.5", 82)), groups) == (7,)
    assert who_listens(packed(("192.168.1.5", 83)), groups) == ()


def test_a_place_has_its_parts() -> None:
    for address, port in (("192.168.1.5", 80), ("2001:db8::1", 65535), ("::", 0)):
        assert parts(packed((address, port))) == (*halves(address), port)
