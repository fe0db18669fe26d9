"""Several inputs as one, against taking the input whose next packet is earliest, one at a time."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.merge import CAPACITY, PACKETS_PER_BATCH, MergedSource
from tcpsnoop.sources.savefile import SavefileSource, open_savefile
from tests.sources.blocks import enhanced, interface, section
from tests.sources.reading import Packet, Pieces, batches_of, packets_of, read_once
from tests.sources.records import header, record

SECOND = 10**9


class Order(NamedTuple):
    """A packet by its input and its number there."""

    file: int
    number: int


def expected(times: Sequence[Sequence[int]]) -> list[Order]:
    """Always the input whose next packet is earliest, ties to the one that began earlier.

    A packet older than one before it in its input is as early as that one.
    """
    ranked = sorted((of[0], file) for file, of in enumerate(times) if of)
    keys = {file: [max(of[: at + 1]) for at in range(len(of))] for file, of in enumerate(times)}
    rank = {file: number for number, (_first, file) in enumerate(ranked)}
    order = []
    left = dict.fromkeys(rank, 0)
    while left:
        file = min(left, key=lambda file: (keys[file][left[file]], rank[file]))
        left[file] += 1
        order.append(Order(file, left[file]))
        if left[file] == len(times[file]):
            del left[file]
    return order


def memory(times: Sequence[int], file: int, batch_size: int) -> Callable[[], PacketSource]:
    """An opener of frames that tell their input and number; the link type is the input's."""
    frames = [bytes((file, number)) for number in range(1, len(times) + 1)]
    return partial(MemorySource, frames, times, link_types=file, batch_size=batch_size)


def orders(packets: Sequence[Packet], source: PacketSource) -> list[Order]:
    found = []
    for packet in packets:
        assert packet.data[0] == source.interfaces[packet.interface].link_type
        assert packet.data[1] == packet.number
        found.append(Order(*packet.data))
    return found


@given(
    times=st.lists(st.lists(st.integers(0, 30), max_size=25), min_size=1, max_size=5),
    sizes=st.lists(st.integers(1, 8), min_size=5, max_size=5),
    batch_size=st.integers(1, 20),
)
def test_order_whatever_the_batches(
    times: list[list[int]], sizes: list[int], batch_size: int
) -> None:
    openers = [memory(of, file, sizes[file]) for file, of in enumerate(times)]
    source = MergedSource(openers, batch_size=batch_size)
    batches = batches_of(source)
    assert orders(list(chain.from_iterable(batches)), source) == expected(times)
    assert all(len(batch) <= max(batch_size, len(times)) for batch in batches)


def pcap(times: Sequence[int], file: int) -> bytes:
    records = (record(bytes((file, number)), time) for number, time in enumerate(times, 1))
    return header(link=file) + b"".join(records)


def opener(path: Path, file: int) -> Callable[[], PacketSource]:
    return partial(
        open_savefile, str(path), file=file, capacity=CAPACITY, batch_size=PACKETS_PER_BATCH
    )


def merged(folder: Path, contents: Sequence[bytes]) -> MergedSource:
    openers = []
    for file, content in enumerate(contents):
        path = folder / f"{file}.pcap"
        path.write_bytes(content)
        openers.append(opener(path, file))
    return MergedSource(openers)


def test_files_one_after_the_other_and_overlapping(tmp_path: Path) -> None:
    times = [[100, 110, 120], [1, 2, 3], [115, 116, 130], [], [2, 2, 50]]
    source = merged(tmp_path, [pcap(of, file) for file, of in enumerate(times)])
    assert not source.waits
    packets = packets_of(source)
    assert orders(packets, source) == expected(times)
    assert [source.interfaces[packet.interface].file for packet in packets] == [
        order.file for order in expected(times)
    ]
    assert source.damage is None
    assert source.anomalies == []
    assert source.drops() is None


def test_interfaces_are_renumbered_as_they_come(tmp_path: Path) -> None:
    def capture(links: Sequence[int], seconds: Sequence[int]) -> bytes:
        content = section()
        for number, (link, second) in enumerate(zip(links, seconds, strict=True)):
            content += interface(link=link) + enhanced(b"x", second * 10**6, number=number)
        return content

    source = merged(tmp_path, [capture([1, 113, 276], [1, 4, 5]), capture([101, 0], [2, 3])])
    packets = packets_of(source)
    found = [source.interfaces[packet.interface] for packet in packets]
    assert [(one.link_type, one.file) for one in found] == [
        (1, 0),
        (101, 1),
        (0, 1),
        (113, 0),
        (276, 0),
    ]
    assert len(source.interfaces) == 5


def test_damage_of_an_input_that_was_not_begun_is_not_told(tmp_path: Path) -> None:
    source = merged(tmp_path, [pcap([1, 2], 0), pcap([100], 1)[:-1] + pcap([3], 1)[:9]])
    read_once(source)
    assert source.damage is None


def test_damage_and_remarks_of_every_input(tmp_path: Path) -> None:
    first, second = pcap([1, 5], 0)[:-1], pcap([2, 6 + 86_400], 1)
    source = merged(tmp_path, [first, second, pcap([3], 2), pcap([4, 4], 3)[:-3]])
    found = orders(packets_of(source), source)
    assert found == [Order(0, 1), Order(1, 1), Order(2, 1), Order(3, 1), Order(1, 2)]
    assert source.damage is not None
    one, other = source.damage.split("; ")
    assert one.startswith(f"{tmp_path}/0.pcap is cut off at byte 59")
    assert other.startswith(f"{tmp_path}/3.pcap is cut off at byte 57")
    assert source.anomalies == [f"{tmp_path}/1.pcap: time jumps by more than a day: 1 times"]


def test_an_input_that_is_no_capture_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}/1.pcap has no bytes"):
        merged(tmp_path, [pcap([1], 0), b"", pcap([2], 2)])


def test_nothing_comes_before_a_pipe_has_told_its_time(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "file").write_bytes(pcap([1, 3, 5], 0))
    pipe = partial(open_savefile, "-", standard_input=reading, file=1)
    source = MergedSource([opener(tmp_path / "file", 0), pipe])
    assert source.waits
    content = pcap([2, 4], 1)
    os.write(writing, content[:24])
    assert source.read(0.01) is None
    os.write(writing, content[24:42])
    found = orders(read_once(source), source) + orders(read_once(source, 0), source)
    assert found == [Order(0, 1), Order(1, 1)]
    os.write(writing, content[42:])
    os.close(writing)
    found += orders(packets_of(source), source)
    assert found == expected([[1, 3, 5], [2, 4]])
    os.close(reading)


def test_files_are_open_only_while_they_overlap(tmp_path: Path) -> None:
    # 30 files, a minute each, one after the other: few descriptors, memory of one or two.
    contents = [pcap(range(60 * file, 60 * file + 60), file) for file in range(30)]
    open_before = len(os.listdir("/proc/self/fd"))
    tracemalloc.start()
    source = merged(tmp_path, contents)
    most, count = 0, 0
    while not source.ended:
        batch = source.read(0)
        count += 0 if batch is None else len(batch.packet)
        most = max(most, len(os.listdir("/proc/self/fd")) - open_before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 30 * 60
    assert most <= 2
    assert peak < 4 * (CAPACITY + 60 * PACKETS_PER_BATCH)


def test_closing_closes_every_input() -> None:
    streams = [Pieces(pcap([1], file), waits=True) for file in range(3)]
    source = MergedSource([partial(SavefileSource, stream, "x") for stream in streams])
    source.close()
    source.close()
    assert [stream.closed for stream in streams] == [True] * 3
    assert source.read(0) is None


def test_times_of_a_batch_never_fall_when_inputs_are_in_order() -> None:
    times = [list(range(0, 3000, 3)), list(range(1, 3000, 3)), list(range(2, 3000, 7))]
    openers = [partial(MemorySource, [b"x"] * len(of), of, batch_size=64) for of in times]
    found = [packet.time_ns for packet in packets_of(MergedSource(openers, batch_size=100))]
    assert found == sorted(chain.from_iterable(times))
