"""The byte order of a section, by its header."""

from __future__ import annotations

from tcpsnoop.sources.pcapng_section import SECTION_TYPE, SMALLEST_SECTION_HEADER, byte_order
from tests.sources.blocks import section


def test_byte_orders() -> None:
    for order in "<>":
        assert section(order).startswith(SECTION_TYPE)
        assert len(section(order)) == SMALLEST_SECTION_HEADER
        assert byte_order(section(order)) == order
    assert byte_order(section()[:8] + bytes(20)) is None
    assert byte_order(section()[:10]) is None
