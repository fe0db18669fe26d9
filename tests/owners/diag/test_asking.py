"""This kernel is asked for real sockets of this process."""

from __future__ import annotations

import errno
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tcpsnoop.owners.diag import asking
from tcpsnoop.owners.diag.asking import Diag, DiagUnavailableError, in_namespace
from tcpsnoop.owners.diag.messages import ALL_STATES, DiagSocket, every, one
from tcpsnoop.owners.sockets import LISTEN
from tests.fixture_types import WaitUntil
from tests.owners.proc_tree import Place, packed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's sock_diag")

ESTABLISHED, TIME_WAIT = 1, 6


@pytest.fixture
def diag() -> Iterator[Diag]:
    made = Diag()
    yield made
    made.close()


def inode(of: socket.socket) -> int:
    return os.fstat(of.fileno()).st_ino


@contextmanager
def connected(
    server: str, client: str
) -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    """A listener, who calls it, and who it accepted."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with (
        socket.create_server(
            (server, 0), family=family, dualstack_ipv6=server == "::"
        ) as listening,
        socket.create_connection((client, listening.getsockname()[1])) as calling,
        listening.accept()[0] as called,
    ):
        yield listening, calling, called


def find(diag: Diag, local: Place, remote: Place) -> DiagSocket | None:
    return diag.one(packed(local[:2]), packed(remote[:2]))


@pytest.mark.parametrize(
    ("server", "client"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")],
    ids=["IPv4", "IPv6", "IPv4 on an IPv6 socket"],
)
def test_both_ends_are_found(diag: Diag, server: str, client: str) -> None:
    with connected(server, client) as (_, calling, called):
        here, there = calling.getsockname(), calling.getpeername()
        one, other = find(diag, here, there), find(diag, there, here)
        assert one
        assert other
        assert (one.state, one.inode) == (ESTABLISHED, inode(calling))
        assert (other.state, other.inode) == (ESTABLISHED, inode(called))
        assert one.cookie != other.cookie
        cookie = calling.getsockopt(socket.SOL_SOCKET, 57, 8)  # SO_COOKIE
        assert one.cookie == struct.unpack("=Q", cookie)[0]


def test_who_only_listens_is_not_the_socket(diag: Diag) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        where = listening.getsockname()
        assert find(diag, where, ("127.0.0.1", 1)) is None
        (found,) = (each for each in diag.all(1 << LISTEN) if each.local == packed(where))
        assert (found.state, found.inode) == (LISTEN, inode(listening))


def test_what_nobody_accepted_has_no_inode_but_its_cookie(diag: Diag) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as calling,
    ):
        ends = calling.getpeername(), calling.getsockname()
        before = find(diag, *ends)
        assert before
        assert (before.state, before.inode) == (ESTABLISHED, 0)
        with listening.accept()[0] as called:
            after = find(diag, *ends)
            assert after == before._replace(inode=inode(called))


def test_time_wait_keeps_the_cookie(diag: Diag, wait_until: WaitUntil) -> None:
    with connected("127.0.0.1", "127.0.0.1") as (_, calling, called):
        ends = calling.getsockname(), calling.getpeername()
        before = find(diag, *ends)
        calling.close()
        called.close()
        found: list[DiagSocket | None] = []

        def waits() -> bool:
            found.append(find(diag, *ends))
            return found[-1] is not None and found[-1].state == TIME_WAIT

        wait_until(waits)
        assert before
        assert before.inode
        assert found[-1] == before._replace(state=TIME_WAIT, inode=0)


@pytest.mark.root
def test_a_socket_bound_to_a_device_is_found_with_it(diag: Diag) -> None:
    lo = socket.if_nametoindex("lo")
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as calling:
        calling.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        calling.connect(listening.getsockname())
        here, there = packed(calling.getsockname()), packed(calling.getpeername())
        assert diag.one(here, there) is None
        found = diag.one(here, there, lo)
        assert found
        assert (found.device, found.inode) == (lo, inode(calling))
        assert found in diag.all(ALL_STATES, bound=True)
        assert all(each.device for each in diag.all(ALL_STATES, bound=True))


def test_a_long_answer_is_read_to_its_end_and_the_next_one_is_right(diag: Diag) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        clients = [socket.create_connection(listening.getsockname()) for _ in range(500)]
        try:
            listed = {(each.local, each.remote) for each in diag.all(1 << ESTABLISHED)}
            for client in clients:
                here, there = packed(client.getsockname()), packed(client.getpeername())
                assert {(here, there), (there, here)} <= listed
                found = diag.one(here, there)
                assert found
                assert found.inode == inode(client)
        finally:
            for client in clients:
                client.close()


@pytest.mark.root
@pytest.mark.program("setpriv")
def test_whoever_has_no_rights_may_ask(tmp_path: Path) -> None:
    """For the sockets of others, too; the interpreter must be one that everybody may run."""
    program = (
        "import socket, struct, sys\n"
        "request, ends = map(bytes.fromhex, sys.argv[1:])\n"
        "s = socket.socket(16, 3, 4); s.send(request); print(s.recv(65536)[16:].hex())\n"
    )
    with connected("127.0.0.1", "127.0.0.1") as (_, calling, _):
        here, there = packed(calling.getsockname()), packed(calling.getpeername())
        words = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                 "--bounding-set=-all", "--inh-caps=-all", "/usr/bin/env", "-i",
                 "PATH=/usr/bin:/bin", "python3", "-S", "-c", program,
                 one(1, here, there).hex(), ""]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 126:
            pytest.skip("nobody may run no Python here")
        assert done.returncode == 0, done.stderr
        told = bytes.fromhex(done.stdout)
        assert struct.unpack_from("=I", told, 68)[0] == inode(calling)


def test_where_the_kernel_refuses_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> socket.socket:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(DiagUnavailableError, match="modules inet_diag and tcp_diag"):
        Diag()


def test_where_the_part_for_tcp_is_missing_it_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel answers a question for one socket with `no such socket` then."""
    # A family that has no such part at all stands for it: AF_AX25.
    real = every
    monkeypatch.setattr(
        asking, "every", lambda sequence, states, **_: real(sequence, states).replace(
            struct.pack("=HH", 18, 0x301), struct.pack("=HH", 19, 0x301)
        )
    )  # fmt: skip
    with pytest.raises(DiagUnavailableError, match="sock_diag"):
        Diag()


def test_when_it_fails_every_question_fails_at_once_and_why_is_kept() -> None:
    diag = Diag()
    diag.close()
    silent, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with silent, other:
        silent.settimeout(0.01)
        diag._socket = silent
        for _ in range(2):
            with pytest.raises(OSError, match="timed out"):
                diag.one(packed(("127.0.0.1", 1)), packed(("127.0.0.1", 2)))
        assert "timed out" in diag.failure
        assert silent.fileno() < 0


def test_an_answer_that_came_too_late_is_not_taken_for_the_next(diag: Diag) -> None:
    with connected("127.0.0.1", "127.0.0.1") as (_, calling, _):
        here, there = packed(calling.getsockname()), packed(calling.getpeername())
        diag._socket.send(one(4321, there, here))  # nobody reads it
        found = diag.one(here, there)
        assert found
        assert found.inode == inode(calling)


@pytest.mark.root
@pytest.mark.program("unshare")
def test_another_namespace_is_entered_and_ours_is_not_left() -> None:
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other, socket.create_server(("127.0.0.1", 0)) as listening:  # fmt: skip
        assert other.stdout
        other.stdout.readline()
        path = f"/proc/{other.pid}/ns/net"
        table = os.stat(f"/proc/{other.pid}/net/tcp").st_ino
        there, here = in_namespace(path, table), Diag()
        ours = packed(listening.getsockname())
        assert ours not in {each.local for each in there.all(1 << LISTEN)}
        assert ours in {each.local for each in here.all(1 << LISTEN)}
        assert os.stat("/proc/thread-self/net/tcp").st_ino != table
        there.close()
        here.close()
        with pytest.raises(DiagUnavailableError, match="another namespace"):
            in_namespace(path, table + 1)
        other.communicate()
    with pytest.raises(DiagUnavailableError):
        in_namespace(path, table)


@pytest.mark.root
def test_entering_without_the_right_is_refused() -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(DiagUnavailableError, match="not permitted"):
            in_namespace("/proc/self/ns/net", 1)
    finally:
        os.seteuid(0)
