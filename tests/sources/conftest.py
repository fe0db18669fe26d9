"""What tests of live capture share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sources.virtual_link import Link, virtual_link


@pytest.fixture
def link() -> Iterator[Link]:
    """A pair of virtual interfaces of this test."""
    with virtual_link() as pair:
        yield pair
