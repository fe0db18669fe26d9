"""`-p` and `--command` choose owners by any process they name."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.owners import (
    EXACT,
    HOLDER,
    LISTENER,
    NOT_ASKED,
    SHARED,
    UNKNOWN,
    Owner,
    Process,
)
from tcpsnoop.owners.selection import Choice, in_cgroup, matching

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
    result = matching(POOL, Choice(pids, commands))
    assert result.shape == (len(POOL),)
    assert result.nonzero()[0].tolist() == chosen


def test_the_rest_of_a_grown_pool_can_be_asked_for() -> None:
    assert matching(POOL, Choice([42]), start=3).tolist() == [True, True]
    assert matching(POOL, Choice([42]), start=5).tolist() == []


@pytest.mark.parametrize(
    ("path", "name", "inside"),
    [
        ("/system.slice/sshd.service", "sshd.service", True),
        ("/system.slice/sshd.service/x", "/system.slice/sshd.service", True),
        ("/system.slice/sshd.service/x", "/system.slice/", True),
        ("/system.slice/sshd.service", "/system", False),
        ("/system.slice/sshd.service", "sshd", False),
        ("/docker/" + "ab" * 32, "ab" * 6, True),
        ("/docker/" + "ab" * 32, "ab" * 5, False),
        ("/system.slice/docker-" + "ab" * 32 + ".scope", "ab" * 32, True),
        ("/kubepods/burstable/pod1/" + "ab" * 32, "ab" * 6, True),
        ("/lxc.payload.web/init.scope", "web", True),
        ("/lxc.payload.web/init.scope", "we", False),
        ("", "sshd.service", False),
        ("", "/", False),
        ("/any", "/", True),
    ],
)
def test_a_cgroup_is_named_by_path_part_or_container(path: str, name: str, inside: bool) -> None:
    assert in_cgroup(path, name) is inside


def test_a_process_must_have_all_that_is_asked_for() -> None:
    process = Process(7, 1, "nginx", uid=33, cgroup="/web.slice")
    pool = [Owner(EXACT, process)]
    assert not Choice()
    for choice, expected in (
        (Choice(uids=[33]), True),
        (Choice(uids=[0]), False),
        (Choice(uids=[33], cgroups=["web.slice"]), True),
        (Choice(uids=[33], cgroups=["mail.slice"]), False),
        (Choice(uids=[33], descends=lambda each: each.pid == 7), True),
        (Choice(descends=lambda each: each.pid == 8), False),
    ):
        assert choice
        assert matching(pool, choice).tolist() == [expected]
