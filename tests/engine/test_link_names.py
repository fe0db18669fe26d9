"""Names of link types, against those that the captures' generators give them."""

from __future__ import annotations

import pytest

from captures.make.link_headers import LINK_NAMES
from tcpsnoop.batches.packets import SNOOP_DATALINKS
from tcpsnoop.engine.link_names import link_name


@pytest.mark.parametrize("number", LINK_NAMES)
def test_names_of_what_our_captures_have(number: int) -> None:
    assert link_name(number) == LINK_NAMES[number]


def test_numbers_without_a_name_and_those_of_snoop() -> None:
    assert link_name(65535) is None
    assert link_name(SNOOP_DATALINKS + 26) == "datalink 26 of snoop"
