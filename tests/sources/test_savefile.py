"""Capture files whatever the pieces, batches and damage: the same packets, no other error."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.read_buffer import CAPACITY
from tcpsnoop.sources.savefile import SavefileSource, open_savefile
from tests.sources import capture_variants
from tests.sources.reading import Packet, Pieces, batches_of, packets_of, source_of
from tests.sources.records import header, record

ROOT = Path(__file__).resolve().parents[2]
HEADER = header()

contents = st.builds(
    lambda seed, make: make(random.Random(seed)),
    st.integers(0, 2**32),
    st.sampled_from(capture_variants.MAKERS),
)


def outcome(source: SavefileSource) -> tuple[list[Packet], object, object, object]:
    return packets_of(source), list(source.interfaces), source.damage, list(source.anomalies)


@given(
    content=contents,
    batch_size=st.integers(1, 20),
    capacity=st.integers(64, 2000),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=20),
    waits=st.booleans(),
)
def test_any_batch_size_buffer_and_pieces_give_the_same(
    content: bytes, batch_size: int, capacity: int, sizes: list[int], waits: bool
) -> None:
    pieces = Pieces(content, itertools.cycle(sizes), waits=waits)
    source = SavefileSource(pieces, "input", batch_size=batch_size, capacity=capacity)
    assert outcome(source) == outcome(source_of(content))


@given(content=contents, seed=st.integers(0, 2**32))
def test_damage_raises_nothing_else(content: bytes, seed: int) -> None:
    damaged = capture_variants.damaged(random.Random(seed), content)
    with contextlib.suppress(UsageError):
        source = source_of(damaged, capacity=64)
        packets = packets_of(source)
        assert [packet.number for packet in packets] == list(range(1, len(packets) + 1))
        for packet in packets:
            assert packet.original >= len(packet.data)
            assert packet.data in damaged
            assert packet.interface < len(source.interfaces)


def test_compiled_and_interpreted_agree(tmp_path: Path) -> None:
    draw = random.Random(3)
    for number in range(150):
        make = capture_variants.MAKERS[number % len(capture_variants.MAKERS)]
        content = make(draw)
        if number % 4 == 0:
            content = capture_variants.damaged(draw, content)
        (tmp_path / f"{number:03}").write_bytes(content)
    command = [sys.executable, "-W", "error", "-m", "tests.sources.show_captures", str(tmp_path)]
    shown = {}
    for interpret in ("0", "1"):
        environment = {**os.environ, "TCPSNOOP_INTERPRET": interpret}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True
        )
        shown[interpret] = done.stdout.splitlines()
    assert len(shown["0"]) == 150
    assert shown["0"] == shown["1"]


def test_batches_are_as_large_as_they_may_be() -> None:
    records = b"".join(record(b"x", second) for second in range(10))
    assert [len(batch) for batch in batches_of(source_of(HEADER + records, batch_size=4))] == [
        4,
        4,
        2,
    ]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (10, 10_000, 60_000):
        path = tmp_path / str(count)
        path.write_bytes(HEADER + record(bytes(1500)) * count)
        tracemalloc.start()
        source = open_savefile(str(path))
        read = 0
        while not source.ended:
            batch = source.read(0)
            read += 0 if batch is None else len(batch.packet)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read == count
    assert max(peaks) < 2 * CAPACITY
    assert peaks[2] - peaks[1] < 1e5


def test_a_large_record_makes_room_once_and_for_itself_only() -> None:
    large, small = bytes(9_000_000), bytes(60)
    content = HEADER
    for data in (small, large, small, large, small):
        content += record(data)
    tracemalloc.start()
    sizes = [len(packet.data) for packet in packets_of(source_of(content))]
    assert tracemalloc.get_traced_memory()[1] < 45e6  # the content is older; two packets of it
    tracemalloc.stop()
    assert sizes == [60, 9_000_000, 60, 9_000_000, 60]


def test_a_record_that_only_claims_to_be_large_costs_nothing() -> None:
    content = HEADER + record(bytes(16_000_000))[:20]
    tracemalloc.start()
    source = source_of(content)
    assert packets_of(source) == []
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
    assert source.damage is not None


def test_closing_gives_back_and_ends() -> None:
    stream = Pieces(HEADER + record(b"x"))
    source = SavefileSource(stream, "input")
    source.close()
    source.close()
    assert stream.closed
    assert source.ended
    assert source.read(0) is None
    assert source.drops() is None
    assert len(source.interfaces) == 1
