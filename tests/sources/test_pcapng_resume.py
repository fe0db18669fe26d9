"""After damage in a pcapng: read on from the next section, wherever it begins."""

from __future__ import annotations

import itertools
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.sources.savefile import MOST_RESUMPTIONS, SavefileSource
from tests.sources.blocks import enhanced, interface, names, option, section
from tests.sources.reading import Pieces, packets_of, source_of

FIRST = section() + interface(link=1) + enhanced(b"one") + enhanced(b"two")
DAMAGED = struct.pack("<II", 6, 7) + b"nonsense"
SECOND = section(">") + interface(">", link=101) + enhanced(b"three", order=">")


def told(source: SavefileSource) -> list[bytes]:
    return [packet.data for packet in packets_of(source)]


def test_what_is_before_and_after_is_delivered_and_both_places_are_told() -> None:
    source = source_of(FIRST + DAMAGED + SECOND)
    packets = packets_of(source)
    assert [packet.data for packet in packets] == [b"one", b"two", b"three"]
    assert [packet.number for packet in packets] == [1, 2, 3]
    assert [source.interfaces[packet.interface].link_type for packet in packets] == [1, 1, 101]
    damaged, section_at = len(FIRST), len(FIRST + DAMAGED)
    assert source.damage == (
        f"input is damaged at byte {damaged}: its length, 7, cannot be; "
        f"read on from the section that begins at byte {section_at}"
    )


@pytest.mark.parametrize("cut", range(1, 36))
def test_a_file_cut_off_with_another_one_behind_it(cut: int) -> None:
    # The last block is of 36 bytes; it takes what follows for its own.
    source = source_of(FIRST[:-cut] + SECOND)
    assert told(source) == [b"one", b"three"]
    assert source.damage is not None
    assert source.damage.startswith(f"input is damaged at byte {len(FIRST) - 36}: ")
    assert source.damage.endswith(f"the section that begins at byte {len(FIRST) - cut}")


def test_a_block_that_claims_all_that_follows() -> None:
    lying = struct.pack("<II", 6, 1 << 20) + bytes(20)
    source = source_of(FIRST + lying + SECOND)
    assert told(source) == [b"one", b"two", b"three"]
    assert source.damage == (
        f"input is damaged at byte {len(FIRST)}: it reaches into what follows; "
        f"read on from the section that begins at byte {len(FIRST + lying)}"
    )


def test_damage_in_many_places() -> None:
    content = (FIRST + DAMAGED) * 5
    source = source_of(content)
    assert told(source) == [b"one", b"two"] * 5
    assert source.damage is not None
    assert source.damage.count("input is damaged at") == 3
    assert source.damage.endswith("; and in 2 more places")


def test_a_section_that_is_damaged_itself_is_passed_over() -> None:
    wrong = bytearray(SECOND)
    wrong[12] = 9  # the major version, of a big-endian section 9 * 256 + 1
    source = source_of(FIRST + bytes(wrong) + SECOND)
    assert told(source) == [b"one", b"two", b"three"]
    assert source.damage is not None
    assert source.damage.startswith(
        f"input is damaged at byte {len(FIRST)}: it begins a section in a byte order or version"
    )


@pytest.mark.parametrize(
    "almost",
    [
        b"\n\r\r\n",  # the type alone
        section()[:-4] + b"\0\0\0\x1c" + interface(),  # lengths that differ
        section(major=2) + interface(),
        section() + b"nothing that begins a section",
        section() + enhanced(b"x"),  # a packet before any interface
        section(options=option("<", 1, bytes(65_500)) * 2) + interface(),  # a header of 131 kB
    ],
)
def test_what_only_looks_like_a_section_is_not_believed(almost: bytes) -> None:
    source = source_of(FIRST + DAMAGED + almost + SECOND)
    assert told(source) == [b"one", b"two", b"three"]
    assert source.damage is not None
    assert source.damage.endswith(f"at byte {len(FIRST + DAMAGED + almost)}")


def test_without_a_section_behind_it_reading_ends() -> None:
    source = source_of(FIRST + DAMAGED + enhanced(b"lost") * 100)
    assert told(source) == [b"one", b"two"]
    assert source.damage == f"input is damaged at byte {len(FIRST)}: its length, 7, cannot be"


def test_a_section_header_at_the_very_end_is_one() -> None:
    source = source_of(FIRST + DAMAGED + section())
    assert told(source) == [b"one", b"two"]
    assert source.damage is not None
    assert source.damage.endswith(f"at byte {len(FIRST + DAMAGED)}")


def test_names_and_cuts_after_resuming() -> None:
    content = FIRST + DAMAGED + section() + names("<", ("192.0.2.1", "host")) + SECOND[:-1]
    source = source_of(content)
    assert told(source) == [b"one", b"two"]
    assert list(source.hosts.values()) == ["host"]
    assert source.damage is not None
    assert f"input is cut off at byte {len(content)}, within the record" in source.damage


@given(
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=10),
    capacity=st.integers(64, 400),
    garbage=st.binary(max_size=300),
)
def test_any_pieces_and_buffer_and_garbage(sizes: list[int], capacity: int, garbage: bytes) -> None:
    content = FIRST + DAMAGED + garbage + SECOND
    pieces = Pieces(content, itertools.cycle(sizes), waits=True)
    source = SavefileSource(pieces, "input", capacity=capacity)
    assert told(source) == [b"one", b"two", b"three"]
    assert source.damage == source_of_damage(content)


def source_of_damage(content: bytes) -> str | None:
    source = source_of(content)
    packets_of(source)
    return source.damage


def test_endless_damage_costs_no_endless_time() -> None:
    # Every section is followed by a block that claims 16 MB: all that follows.
    piece = section() + interface() + struct.pack("<II", 6, 1 << 24) + bytes(4)
    started = time.monotonic()
    source = source_of(piece * 50_000, capacity=1 << 20)
    assert told(source) == []
    assert time.monotonic() - started < 5
    assert source.damage is not None
    assert source.damage.endswith(f"; and in {MOST_RESUMPTIONS - 2} more places")
