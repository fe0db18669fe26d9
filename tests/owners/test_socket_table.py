"""Rows of /proc/net/tcp and tcp6, as kernels write them, are found by their ends."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tcpsnoop.owners.socket_table import SocketTable
from tcpsnoop.owners.sockets import Socket
from tests.owners.proc_tree import Place, ProcTree, Row, listening, packed

# Rows as a little-endian machine (Linux 6.18, x86_64) printed them, widths and all.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1165 1 00000000ae69e5a4 100 0 0 10 0                      
   1: 0100007F:8EA6 0100007F:270F 06 00000000:00000000 03:00000B36 00000000     0        0 0 3 00000000cd9993c0                                      
   2: 020000C0:A1B2 0A01A8C0:01BB 01 00000000:00000000 02:000006A9 00000000  1000        0 4294967295 2 0000000037ddbbc1 20 4 30 10 -1                  
10003: 0100007F:0016 0100007F:D431 03 00000000:00000000 01:00000063 00000000     0        0 0 1 0000000000000001                                     
"""  # noqa: E501, W291 - the kernel's own line, blanks at the end included
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20001 1 0000000000000001 100 0 0 10 0
   1: B80D0120000000000000000005000000:1F90 B80D0120000000000000000009000000:C350 01 00000000:00000000 00:00000000 00000000    33        0 20002 1 0000000000000001 20 4 30 10 -1
   2: 0000000000000000FFFF00000501A8C0:1F90 0000000000000000FFFF00000901A8C0:C351 08 00000000:00000000 00:00000000 00000000    33        0 20003 1 0000000000000001 20 4 30 10 -1
"""  # noqa: E501 - the kernel's own line


def find(table: SocketTable, local: Place, remote: Place) -> Socket | None:
    return table.find(packed(local), packed(remote))


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "tcp").write_text(TCP)
    (tmp_path / "tcp6").write_text(TCP6)
    return tmp_path


@pytest.mark.skipif(sys.byteorder != "little", reason="the rows are of a little-endian machine")
@pytest.mark.parametrize(
    ("local", "remote", "state", "inode"),
    [
        (("127.0.0.1", 0x8EA6), ("127.0.0.1", 9999), 6, 0),
        (("192.0.0.2", 0xA1B2), ("192.168.1.10", 443), 1, 4294967295),
        (("127.0.0.1", 22), ("127.0.0.1", 0xD431), 3, 0),
        (("2001:db8::5", 8080), ("2001:db8::9", 50000), 1, 20002),
        (("192.168.1.5", 8080), ("192.168.1.9", 50001), 8, 20003),
        (("::ffff:192.168.1.5", 8080), ("::ffff:192.168.1.9", 50001), 8, 20003),
    ],
)
def test_a_row_is_found_by_its_ends(
    net: Path, local: Place, remote: Place, state: int, inode: int
) -> None:
    table = SocketTable(net)
    assert find(table, local, remote) == (state, inode, 0)
    assert table.readable


def test_the_other_way_round_is_another_socket(net: Path) -> None:
    table = SocketTable(net)
    assert find(table, ("192.168.1.10", 443), ("192.0.0.2", 0xA1B2)) is None
    assert find(table, ("192.0.0.2", 0xA1B2), ("192.168.1.10", 444)) is None


def test_a_listener_is_no_connection(net: Path) -> None:
    table = SocketTable(net)
    assert find(table, ("0.0.0.0", 2024), ("0.0.0.0", 0)) is None
    assert table.listeners(packed(("127.0.0.1", 2024))) == (1165,)


def test_an_exact_listener_comes_before_wildcards_and_ipv4_before_ipv6(proc: ProcTree) -> None:
    everywhere6 = listening(("::", 80), 60)
    everywhere4 = listening(("0.0.0.0", 80), 40)
    exact = listening(("192.168.1.5", 80), 41)
    exact6 = listening(("2001:db8::5", 80), 61)
    ipv4, ipv6 = packed(("192.168.1.5", 80)), packed(("2001:db8::5", 80))

    def choice(local: bytes, *rows: Row) -> tuple[int, ...]:
        proc.table(*rows)
        return SocketTable(proc.root / "net").listeners(local)

    assert choice(ipv4, everywhere6, everywhere4, exact, exact6) == (41,)
    assert choice(ipv4, everywhere6, everywhere4, exact6) == (40,)
    assert choice(ipv4, everywhere6, exact6) == (60,)
    assert choice(ipv6, everywhere6, everywhere4, exact, exact6) == (61,)
    assert choice(ipv6, everywhere6, everywhere4) == (60,)
    assert choice(ipv6, everywhere4) == ()
    assert choice(packed(("192.168.1.5", 81)), everywhere6, everywhere4) == ()


def test_all_listeners_of_a_group_are_given(proc: ProcTree) -> None:
    proc.table(*(listening(("127.0.0.1", 80), inode) for inode in (7, 8, 9)))
    table = SocketTable(proc.root / "net")
    assert sorted(table.listeners(packed(("127.0.0.1", 80)))) == [7, 8, 9]


def test_a_table_of_many_pages_is_read_to_its_end(proc: ProcTree) -> None:
    proc.table(*(Row(("127.0.0.1", 80), ("127.0.0.1", 1024 + n), 5000 + n) for n in range(12000)))
    table = SocketTable(proc.root / "net")
    assert find(table, ("127.0.0.1", 80), ("127.0.0.1", 1024)) == (1, 5000, 0)
    assert find(table, ("127.0.0.1", 80), ("127.0.0.1", 1024 + 11999)) == (1, 5000 + 11999, 0)


def test_a_table_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    table = SocketTable(tmp_path)
    assert find(table, ("127.0.0.1", 1), ("127.0.0.1", 2)) is None
    assert table.listeners(packed(("127.0.0.1", 1))) == ()
    assert not table.readable


def test_without_ipv6_the_table_of_ipv4_is_enough(net: Path) -> None:
    (net / "tcp6").unlink()
    table = SocketTable(net)
    assert find(table, ("192.168.1.5", 8080), ("192.168.1.9", 50001)) is None
    assert table.readable


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_this_machine_lists_our_sockets() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        here, there = client.getsockname(), client.getpeername()
        table = SocketTable(Path("/proc/net"))
        assert find(table, here, there) == (1, os.fstat(client.fileno()).st_ino, 0)
        assert find(table, there, here) == (1, 0, 0)  # nobody has accepted it
        assert table.listeners(packed(there)) == (os.fstat(server.fileno()).st_ino,)
