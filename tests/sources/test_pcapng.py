"""pcapng: sections, interfaces, the three packet blocks and their options, damage."""

from __future__ import annotations

import struct

import pytest

from tcpsnoop.batches.packets import (
    CaptureInterface,
)
from tcpsnoop.errors import UsageError
from tcpsnoop.sources.pcapng import MOST_INTERFACES
from tests.sources.blocks import (
    block,
    enhanced,
    interface,
    old,
    option,
    resolution,
    section,
    simple,
)
from tests.sources.reading import Packet, packets_of, source_of

ORDERS = pytest.mark.parametrize("order", ["<", ">"])

# The bytes of a little-endian file: section, one interface of link type 113 and snap length 96 with
# nanoseconds, one packet of 2 bytes out of 60 at 0x1_00000002 ns.
LITTLE_ENDIAN_FILE = bytes.fromhex(
    "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"
    "01000000 20000000 7100 0000 60000000 0900 0100 09000000 0000 0000 20000000"
    "06000000 24000000 00000000 01000000 02000000 02000000 3c000000 abcd0000 24000000"
)


def test_a_file_by_its_bytes() -> None:
    source = source_of(LITTLE_ENDIAN_FILE)
    assert packets_of(source) == [Packet(1, 0x1_0000_0002, b"\xab\xcd", 60, 0, 0)]
    assert list(source.interfaces) == [CaptureInterface(link_type=113, digits=9, snaplen=96)]
    assert source.damage is None


def test_sections_have_their_own_order_and_interfaces() -> None:
    content = section("<") + interface("<", 1) + enhanced(b"a")
    content += section(">", options=option(">", 1, b"other"))
    content += interface(">", 113, 0, resolution(">", 9)) + interface(">", 276)
    content += enhanced(b"b", 5, order=">") + enhanced(b"c", 6, order=">", number=1)
    content += section("<") + interface("<", 101) + enhanced(b"d", 7)
    source = source_of(content)
    assert packets_of(source) == [
        Packet(1, 0, b"a", 1, 0, 0),
        Packet(2, 5, b"b", 1, 1, 0),
        Packet(3, 6000, b"c", 1, 2, 0),
        Packet(4, 7000, b"d", 1, 3, 0),
    ]
    assert [one.link_type for one in source.interfaces] == [1, 113, 276, 101]


def test_interfaces_may_come_late_and_be_many() -> None:
    content = section()
    for number in range(100):
        content += interface(link=number) + enhanced(bytes([number]), number=number)
    source = source_of(content)
    assert [packet.interface for packet in packets_of(source)] == list(range(100))
    assert [one.link_type for one in source.interfaces] == list(range(100))


def test_interfaces_are_bounded() -> None:
    content = section() + interface() * MOST_INTERFACES + enhanced(b"x") + interface()
    source = source_of(content, capacity=1 << 20)
    assert len(packets_of(source)) == 1
    place = 28 + 20 * MOST_INTERFACES + 36
    assert source.damage == (
        f"input is damaged at byte {place}: it describes more interfaces than are kept"
    )


def test_section_and_interfaces_only_is_a_capture_without_packets() -> None:
    for content in (section(), section() + interface()):
        source = source_of(content)
        assert packets_of(source) == []
        assert source.damage is None


@ORDERS
def test_cut_anywhere_every_packet_before_is_delivered(order: str) -> None:
    blocks = [
        section(order),
        interface(order, 1, 0, resolution(order, 9)),
        enhanced(b"abcde", 1, order=order),
        block(order, 5, bytes(12)),
        simple(b"xyz", order=order),
        old(b"", 3, order=order),
        section(order),
        interface(order),
        enhanced(bytes(70), 4, order=order, options=option(order, 2, bytes(4))),
    ]
    packets_before = [0, 0, 0, 1, 1, 2, 3, 3, 3, 4]  # the blocks
    content = b"".join(blocks)
    begins = [sum(map(len, blocks[:count])) for count in range(len(blocks) + 1)]
    for cut in range(4, len(content) + 1):
        source = source_of(content[:cut])
        whole = sum(begin <= cut for begin in begins) - 1
        assert len(packets_of(source)) == packets_before[whole]
        if cut < begins[1]:
            assert source.damage == f"input is cut off at byte {cut}, within its file header"
        elif cut in begins:
            assert source.damage is None
        else:
            where = f"within the record that begins at byte {begins[whole]}"
            assert source.damage == f"input is cut off at byte {cut}, {where}"


PACKET = enhanced(b"abcd")  # 36 bytes


def patched(content: bytes, at: int, value: int) -> bytes:
    """With another 32-bit number at `at`."""
    return content[:at] + struct.pack("<I", value) + content[at + 4 :]


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (patched(PACKET, 4, 8), "its length, 8, cannot be"),
        (patched(PACKET, 4, 38), "its length, 38, cannot be"),
        (patched(PACKET, 4, 1 << 24 | 4), "its length, 16777220, is above the limit of 16777216"),
        (patched(PACKET, 32, 32), "its length, 36, is not repeated at its end"),
        (patched(PACKET, 20, 5), "its packet is longer than the whole of it"),
        (patched(PACKET, 20, 0xFFFFFFFF), "its packet is longer than the whole of it"),
        (patched(PACKET, 8, 1), "its packet belongs to an interface that no block describes"),
        (patched(PACKET, 8, 0xFFFFFFFF), "its packet belongs to an interface that no block"),
        (block("<", 6, bytes(16)), "its packet is longer than the whole of it"),
        (block("<", 3, b""), "its packet is longer than the whole of it"),
        (block("<", 1, bytes(4)), "its length, 16, cannot be"),
        (section(major=2), "it begins a section in a byte order or version that pcapng does not"),
        (patched(section(), 8, 0x1A2B3C4E), "it begins a section in a byte order or version"),
        (patched(section(), 24, 32), "its length, 28, is not repeated at its end"),
        (patched(section(), 4, 24), "its length, 24, cannot be"),
    ],
)
def test_damage_ends_the_reading_where_it_is(damaged: bytes, reason: str) -> None:
    before = section() + interface() + enhanced(b"before")
    source = source_of(before + damaged + enhanced(b"after"))
    assert [packet.data for packet in packets_of(source)] == [b"before"]
    assert source.damage is not None
    assert source.damage.startswith(f"input is damaged at byte {len(before)}: {reason}")


def test_a_packet_before_any_interface_is_damage() -> None:
    for content in (section() + simple(b"x"), section() + enhanced(b"x")):
        source = source_of(content)
        assert packets_of(source) == []
        assert source.damage is not None


def test_what_only_begins_like_pcapng_is_refused() -> None:
    with pytest.raises(UsageError, match="input is not a capture"):
        source_of(patched(section(), 8, 0x11223344))
    with pytest.raises(UsageError, match=r"input: pcapng version 2\.0 is not supported"):
        source_of(section(major=2))
