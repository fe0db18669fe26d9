"""`-p` and `--command` choose owners by any process they name."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.owners import HOLDER, LISTENER, NOT_ASKED, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.owners import matching

NGINX = Process(42, 10, "nginx", "nginx: master")
WORKER = Process(43, 11, "nginx", "nginx: worker")
CURL = Process(44, 12, "curl", "curl nginx")
POOL = (
    NOT_ASKED,
    Owner(UNKNOWN, reason="gone"),
    Owner(HOLDER, CURL),
    Owner(SHARED, holders=(NGINX, WORKER)),
    Owner(LISTENER, NGINX),
)


@pytest.mark.parametrize(
    ("pids", "commands", "chosen"),
    [
        ([44], [], [2]),
        ([42], [], [3, 4]),
        ([43], [], [3]),
        ([43, 44], [], [2, 3]),
        ([], ["nginx"], [3, 4]),
        ([], ["nginx", "curl"], [2, 3, 4]),
        ([], ["curl nginx"], []),  # the short name, not the command line
        ([], ["ngin"], []),
        ([43], ["nginx"], [3]),
        ([44], ["nginx"], []),
        ([42, 44], ["curl"], [2]),  # the same process must have both
        ([1], [], []),
        ([0], [], []),  # unknown is nobody, not process 0
        ([], [""], []),
        ([], [], [2, 3, 4]),
    ],
)
def test_an_owner_matches_by_its_process_or_any_holder(
    pids: list[int], commands: list[str], chosen: list[int]
) -> None:
    result = matching(POOL, pids, commands)
    assert result.shape == (len(POOL),)
    assert result.nonzero()[0].tolist() == chosen


def test_the_rest_of_a_grown_pool_can_be_asked_for() -> None:
    assert matching(POOL, [42], start=3).tolist() == [True, True]
    assert matching(POOL, [42], start=5).tolist() == []
