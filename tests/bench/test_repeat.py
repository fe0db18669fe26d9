"""The endless capture: later each time, of two networks in turn, and otherwise the same packets."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from bench.frames import write_pcap
from bench.native import compiled
from bench.traffic import DOWNLOAD, conversations
from tests.sources.reading import Packet, packets_of, source_of

COUNT = 600
SECOND_OCTETS = (14 + 12 + 1, 14 + 16 + 1)  # of the addresses of IPv4 in Ethernet


pytestmark = pytest.mark.program("gcc")


@pytest.fixture(scope="module")
def repeat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    path = compiled("repeat", tmp_path_factory.mktemp("native"))
    assert path is not None
    return path


@pytest.fixture(params=["pipe", "file"])
def way(request: pytest.FixtureRequest) -> str:
    """Where it writes to: pages are lent to a pipe, and written to a file."""
    chosen: str = request.param
    return chosen


def repeated(repeat: Path, way: str, path: Path, least_bytes: int) -> tuple[int, bytes]:
    """How many packets were said to be written, and what came out."""
    words = [str(repeat), str(path), str(least_bytes)]
    if way == "pipe":
        done = subprocess.run(words, capture_output=True, check=True)
        return int(done.stderr), done.stdout
    with path.with_suffix(".out").open("w+b") as file:
        done = subprocess.run(words, stdout=file, stderr=subprocess.PIPE, check=True)
        file.seek(0)
        return int(done.stderr), file.read()


def without_second_octets(packet: Packet) -> bytes:
    data = bytearray(packet.data)
    for at in SECOND_OCTETS:
        data[at] = 0
    return bytes(data)


def test_three_times_the_same_packets_later_and_of_two_networks(
    repeat: Path, way: str, tmp_path: Path
) -> None:
    path = tmp_path / "once.pcap"
    write_pcap(path, conversations(COUNT, 10, DOWNLOAD, mean_packets=60))
    once = path.read_bytes()
    count, content = repeated(repeat, way, path, 2 * len(once))
    assert count == 3 * COUNT
    assert len(content) == 24 + 3 * (len(once) - 24)
    packets = packets_of(source_of(content, capacity=1 << 20))
    assert len(packets) == count
    assert path.read_bytes() == once
    first, second, third = (packets[at : at + COUNT] for at in range(0, count, COUNT))
    for later in (second, third):
        assert [*map(without_second_octets, later)] == [*map(without_second_octets, first)]
    pairs = [{packet.data[26:34] for packet in each} for each in (first, second, third)]
    assert not pairs[0] & pairs[1]
    assert pairs[2] == pairs[0]
    assert second[0].time_ns > first[-1].time_ns
    assert third[0].time_ns > second[-1].time_ns
    assert struct.unpack_from("<I", content)[0] == 0xA1B2C3D4


def test_pages_that_were_lent_are_left_alone(repeat: Path, tmp_path: Path) -> None:
    """Many times more than a pipe holds: each repetition comes later than the one before."""
    path = tmp_path / "once.pcap"
    write_pcap(path, conversations(COUNT, 10, DOWNLOAD, mean_packets=60))
    count, content = repeated(repeat, "pipe", path, 40 * path.stat().st_size)
    assert count >= 40 * COUNT
    _, same = repeated(repeat, "file", path, 40 * path.stat().st_size)
    assert content == same


def test_what_it_cannot_repeat_is_refused(repeat: Path, tmp_path: Path) -> None:
    path = tmp_path / "once.pcap"
    write_pcap(path, conversations(COUNT, 10, DOWNLOAD, mean_packets=60))
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(path.read_bytes()[:-1])
    for words in ([cut, "1"], [tmp_path / "nowhere", "1"], [path], [Path(__file__), "1"]):
        done = subprocess.run([repeat, *words], capture_output=True, text=True)
        assert done.returncode != 0
        assert done.stdout == ""
        assert "repeat" in done.stderr
