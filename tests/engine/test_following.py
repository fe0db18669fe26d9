"""A command that is run and followed."""

from __future__ import annotations

import sys

import pytest

from tcpsnoop.engine.following import FollowedCommand, check_command
from tcpsnoop.errors import UsageError
from tests.fixture_types import WaitUntil


def test_a_command_that_does_not_exist_is_told_before_anything_begins() -> None:
    check_command([])
    check_command([sys.executable])
    with pytest.raises(UsageError, match="no such command"):
        check_command(["/no/such/command"])


def test_it_has_ended_when_it_has(wait_until: WaitUntil) -> None:
    command = FollowedCommand([sys.executable, "-c", "raise SystemExit(3)"])
    wait_until(lambda: command.ended)
