"""Answers name all who hold what an end claims, and follow them."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.batches.owners import HOLDER, LISTENER, SHARED, UNKNOWN, Owner
from tcpsnoop.owners.answers import Answers
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.ends import End, Ends
from tcpsnoop.owners.judge import Claim
from tcpsnoop.owners.pool import OwnerPool
from tests.owners.proc_tree import Clock, ProcTree


class Scene:
    """Answers over a tree, and one end."""

    def __init__(self, proc: ProcTree, clock: Clock) -> None:
        self.ends, self.pool = Ends(8), OwnerPool()
        self.descriptors = Descriptors(proc.root, clock)
        self.answers = Answers(self.ends, self.pool, self.descriptors)
        self.end = End(2, b"here", b"there", (0, 0))
        self.ends.add(self.end)

    def scan(self) -> None:
        """Scan every process."""
        assert self.descriptors.scan(self.descriptors.tick, float("inf"))

    def owner(self) -> Owner:
        """What the end is answered with."""
        return self.pool.owners[self.end.code]


@pytest.fixture
def scene(proc: ProcTree, clock: Clock) -> Scene:
    return Scene(proc, clock)


@pytest.mark.parametrize(
    ("quality", "inodes", "expected", "pids"),
    [
        (HOLDER, (500,), HOLDER, [42]),
        (HOLDER, (501,), SHARED, [42, 43]),
        (LISTENER, (500,), LISTENER, [42]),
        (LISTENER, (500, 502), SHARED, [42, 43]),
        (LISTENER, (500, 503), LISTENER, [42]),
    ],
)
def test_one_process_or_all_of_them(
    proc: ProcTree,
    scene: Scene,
    quality: str,
    inodes: tuple[int, ...],
    expected: str,
    pids: list[int],
) -> None:
    proc.process(42, "one", [500, 501, 503])
    proc.process(43, "other", [501, 502])
    scene.answers.claim(scene.end, Claim(quality, inodes))
    scene.scan()
    owner = scene.answers.owner(scene.end)
    assert owner is not None
    assert owner.quality == expected
    assert [process.pid for process in owner.processes] == pids
    assert (owner.process is None) == (expected == SHARED)


def test_nobody_holds_what_no_process_has(scene: Scene) -> None:
    scene.answers.claim(scene.end, Claim(HOLDER, (500,)))
    scene.scan()
    assert scene.answers.owner(scene.end) is None


def test_answers_depend_on_holders_until_they_are_let_go(scene: Scene) -> None:
    assert not scene.answers
    scene.answers.claim(scene.end, Claim(LISTENER, (500, 501)))
    assert scene.answers
    assert scene.answers.depending() == []  # on a listener's socket, not on its own
    scene.answers.claim(scene.end, Claim(HOLDER, (502,)))
    assert scene.answers.depending() == [scene.end]
    assert set(scene.descriptors.watched) == {502}
    scene.answers.unclaim(scene.end)
    assert not scene.answers
    assert set(scene.descriptors.watched) == set()


def test_changes_are_followed_but_not_by_those_who_wait(proc: ProcTree, scene: Scene) -> None:
    proc.process(42, "one", [500])
    scene.answers.claim(scene.end, Claim(HOLDER, (500,)))
    scene.scan()
    scene.answers.follow_holders({scene.end.key})
    assert not scene.answers.is_known(scene.end)
    proc.process(43, "other", [500])
    scene.scan()
    scene.answers.follow_holders(())
    assert scene.answers.is_known(scene.end)
    assert [process.pid for process in scene.owner().processes] == [42, 43]
    proc.end(42)
    proc.end(43)
    scene.scan()
    scene.answers.follow_holders(())
    assert scene.owner().quality == SHARED  # who has ended had it


@pytest.mark.parametrize(("quality", "limited"), [(HOLDER, True), (LISTENER, False)])
def test_an_answer_from_its_own_socket_holds_from_a_time_on(
    scene: Scene, quality: str, limited: bool
) -> None:
    scene.answers.claim(scene.end, Claim(quality, (500,)))
    scene.end.holds_from_ns = 1000
    scene.answers.give(scene.end, Owner(UNKNOWN, reason="stands for any"))
    times = np.array([-1, 999, 1000])
    codes, _ = scene.ends.codes(np.full(3, scene.end.key), times, 99)
    assert (codes == 99).tolist() == [limited, limited, False]


def test_a_reason_holds_always_and_depends_on_nobody(scene: Scene) -> None:
    scene.answers.claim(scene.end, Claim(HOLDER, (500,)))
    scene.answers.give_reason(scene.end, "gone")
    assert scene.owner() == Owner(UNKNOWN, reason="gone")
    assert (scene.end.quality, scene.end.inodes) == (UNKNOWN, ())
    assert not scene.answers
