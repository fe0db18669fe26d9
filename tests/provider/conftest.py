"""The conversation that most tests of the provider begin with."""

from __future__ import annotations

import pytest

from tests.provider.talk import Talk, Wire


@pytest.fixture
def wire() -> Wire:
    """A clock, and nothing captured yet."""
    return Wire()


@pytest.fixture
def talk(wire: Wire) -> Talk:
    """Two ends that have said nothing: A's SYN has number 1,000, B's 5,000."""
    return wire.talk()


@pytest.fixture
def connected(talk: Talk) -> Talk:
    """The same after their handshake: three segments."""
    talk.handshake()
    return talk
