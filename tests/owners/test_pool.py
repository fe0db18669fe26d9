"""Each owner has one code, and ends are counted by their latest answer."""

from __future__ import annotations

from tcpsnoop.batches.owners import HOLDER, NOT_ASKED, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.owners.pool import OwnerPool

NGINX, CURL = Process(42, 10, "nginx"), Process(43, 11, "curl")


def test_an_owner_has_one_code_and_the_pool_only_grows() -> None:
    pool = OwnerPool()
    assert list(pool.owners) == [NOT_ASKED]
    first = pool.code(Owner(HOLDER, NGINX))
    second = pool.code(Owner(SHARED, holders=(NGINX, CURL)))
    assert pool.code(Owner(HOLDER, Process(42, 10, "nginx"))) == first
    assert pool.code(Owner(HOLDER, Process(42, 99, "nginx"))) not in (first, second)
    assert pool.owners[first].process == NGINX
    assert pool.owners[second].holders == (NGINX, CURL)


def test_ends_are_counted_once_by_their_latest_answer() -> None:
    pool = OwnerPool()
    gone = pool.code(Owner(UNKNOWN, reason="gone"))
    nginx, curl = pool.code(Owner(HOLDER, NGINX)), pool.code(Owner(HOLDER, CURL))
    for _ in range(5):
        pool.count(None, gone)
    pool.count(gone, nginx)
    pool.count(gone, curl)
    pool.count(nginx, curl)
    assert pool.ends == 5
    assert pool.by_quality() == {UNKNOWN: 3, HOLDER: 2}
    assert pool.by_reason() == {"gone": 3}
