"""What this kernel tells of real sockets that end."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

import pytest

from tcpsnoop.owners.diag.asking import Diag
from tcpsnoop.owners.diag.endings import MOST, Endings
from tcpsnoop.owners.diag.messages import Ending
from tests.fixture_types import WaitUntil
from tests.owners.proc_tree import packed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's sock_diag")

RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time


@pytest.fixture
def endings() -> Iterator[Endings]:
    made = Endings()
    yield made
    made.close()
    made.close()


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("server", "client"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")]
)
def test_both_ends_are_told_by_their_cookies(
    endings: Endings, wait_until: WaitUntil, server: str, client: str, reset: bool
) -> None:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with (
        socket.create_server(
            (server, 0), family=family, dualstack_ipv6=server == "::"
        ) as listening,
        socket.create_connection((client, listening.getsockname()[1])) as calling,
        listening.accept()[0] as called,
    ):
        here, there = packed(calling.getsockname()[:2]), packed(calling.getpeername()[:2])
        diag = Diag()
        both = [diag.one(here, there), diag.one(there, here)]
        diag.close()
        if reset:
            calling.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        assert not {each and each.cookie for each in both} & cookies(endings.take()[0])
        calling.close()
        called.close()
        told: list[Ending] = []

        def is_told() -> bool:
            gone, lost = endings.take()
            assert not lost
            told.extend(gone)
            return {each and each.cookie for each in both} <= cookies(told)

        wait_until(is_told)
        assert both[1]
        server_end = next(each.socket for each in told if each.cookie == both[1].cookie)
        assert (server_end.local, server_end.remote) == (there, here)


def cookies(gone: list[Ending]) -> set[int | None]:
    return {each.cookie for each in gone}


def churn(count: int) -> None:
    """So many connections of this process, which it closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for _ in range(count):
            with socket.create_connection(listening.getsockname()), listening.accept()[0]:
                pass


def test_of_a_flood_a_part_is_read_and_the_rest_is_known_to_be_lost(
    endings: Endings, wait_until: WaitUntil
) -> None:
    churn(2 * MOST)  # of two ends each
    told: list[int] = []

    def is_lost() -> bool:
        gone, lost = endings.take()
        told.append(len(gone))
        return lost

    wait_until(is_lost)
    assert told[-1] <= MOST
    wait_until(lambda: endings.take() == ([], False))
    churn(1)
    heard: list[Ending] = []

    def is_heard() -> bool:
        heard.extend(endings.take()[0])
        return len(heard) >= 2

    wait_until(is_heard)


def test_after_a_pause_it_is_told_that_some_were_lost(
    endings: Endings, wait_until: WaitUntil
) -> None:
    churn(1)
    endings.close()
    churn(1)
    assert endings.take() == ([], True)
    churn(1)
    wait_until(lambda: len(endings.take()[0]) > 0)
