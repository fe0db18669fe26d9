"""The connection of our own."""

from __future__ import annotations

import os

from tcpsnoop.owners.tracing.self_test import connect_to_ourselves, is_ours
from tests.owners.tracing.story import Story


def story_of(port: int, caller: int, server: int) -> Story:
    story = Story()
    here, there = ("127.0.0.1", 40000), ("127.0.0.1", port)
    story.connect(1, caller, 1, (here, there))
    story.accept(5, caller, 2, (there, here))
    story.receive(9, server, 2)
    story.happen()
    return story


def test_both_ends_must_be_this_process() -> None:
    me = os.getpid()
    assert is_ours(story_of(80, me, me).tables, 80)
    assert not is_ours(story_of(80, me, me).tables, 81)
    assert not is_ours(story_of(80, me, me + 1).tables, 80)
    assert not is_ours(story_of(80, 0, me).tables, 80)


def test_it_is_a_real_connection_that_has_ended() -> None:
    port = connect_to_ourselves()
    assert port is not None
    with open("/proc/net/tcp") as file:
        assert f":{port:04X} 00000000:0000 0A" not in file.read()
