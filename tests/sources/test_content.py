"""Compressed input: recognised by content, any pieces, several members, cut and damaged."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
import random
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.savefile import SavefileSource, open_savefile
from tests.sources.reading import Packet, Pieces, packets_of, read_once, source_of
from tests.sources.records import header, record

HEADER = header()
RECORD_BYTES = 116  # with 100 random bytes: compressed it is hardly smaller
COUNT = 3000
_RANDOM = random.Random(7)
DATA = [_RANDOM.randbytes(100) for _ in range(COUNT)]
CAPTURE = HEADER + b"".join(record(data, number) for number, data in enumerate(DATA))
WHOLE = [Packet(number + 1, number * 10**9, data, 100, 0, 0) for number, data in enumerate(DATA)]

# Several blocks of every format: bzip2 has 900 kB in one, and knows nothing of it before its end.
LARGE_DATA = [_RANDOM.randbytes(100) for _ in range(20_000)]
LARGE = HEADER + b"".join(record(data) for data in LARGE_DATA)


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


FORMATS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}
every_format = pytest.mark.parametrize("name", FORMATS)


@every_format
def test_recognised_by_content(name: str, tmp_path: Path) -> None:
    path = tmp_path / "no.such.ending"
    path.write_bytes(FORMATS[name](CAPTURE))
    source = open_savefile(str(path))
    assert not source.waits
    assert packets_of(source) == WHOLE
    assert source.damage is None


@every_format
@pytest.mark.parametrize("size", [1, 3, 4096])
def test_any_pieces(name: str, size: int) -> None:
    content = FORMATS[name](CAPTURE[: 24 + 40 * RECORD_BYTES])
    source = SavefileSource(Pieces(content, itertools.repeat(size)), "input")
    assert packets_of(source) == WHOLE[:40]
    assert source.damage is None


@every_format
def test_several_members_and_padding(name: str) -> None:
    compress = FORMATS[name]
    parts = [compress(CAPTURE[:1000]), compress(b""), compress(CAPTURE[1000:])]
    padding = bytes(8) if name in ("gzip", "xz") else b""
    source = source_of(padding.join(parts) + padding)
    assert packets_of(source) == WHOLE
    assert source.damage is None


def test_zstd_files_that_begin_with_a_skippable_frame() -> None:
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"size"
    source = source_of(skippable + zstd(CAPTURE))
    assert packets_of(source) == WHOLE
    assert source.damage is None


@every_format
@pytest.mark.parametrize("share", [0.7, 0.999])
def test_cut_off_what_came_before_is_delivered(name: str, share: float) -> None:
    content = FORMATS[name](LARGE)
    source = source_of(content[: int(len(content) * share)])
    packets = packets_of(source)
    assert [packet.data for packet in packets] == LARGE_DATA[: len(packets)]
    assert source.damage is not None
    begun, _, told = source.damage.partition(f" of the {name} content: ")
    assert told == f"the {name} data ends too early"
    offset = int(begun.removeprefix("input is cut off at byte "))
    assert len(packets) == (offset - 24) // RECORD_BYTES
    # The last block is not known before its end: 900 kB of bzip2, 128 kB of zstd.
    assert offset > share * len(LARGE) - (950_000 if name == "bzip2" else 200_000)


def test_gzip_with_a_wrong_checksum_gives_every_packet() -> None:
    content = gzip.compress(CAPTURE)
    for wrong in (content[:-8] + bytes(8), content[:-4] + bytes(4)):
        source = source_of(wrong)
        assert packets_of(source) == WHOLE
        assert source.damage is not None
        assert source.damage.startswith(
            f"input is cut off at byte {len(CAPTURE)} of the gzip content: the gzip data is damaged"
        )


def test_gzip_with_damage_in_the_middle_gives_what_is_before() -> None:
    # Stored blocks of 65,535 bytes; the third one's length does not agree with its complement.
    chunks = [CAPTURE[at : at + 0xFFFF] for at in range(0, len(CAPTURE), 0xFFFF)]
    blocks = [struct.pack("<BHH", 0, len(c), len(c) ^ 0xFFFF) + c for c in chunks]
    blocks[2] = struct.pack("<BHH", 0, 100, 100) + blocks[2][5:]
    source = source_of(bytes.fromhex("1f8b08000000000000ff") + b"".join(blocks))
    assert packets_of(source) == WHOLE[: (2 * 0xFFFF - 24) // RECORD_BYTES]
    assert source.damage is not None
    assert f"at byte {2 * 0xFFFF} of the gzip content: the gzip data is damaged" in source.damage


@every_format
def test_damage_is_told_and_what_is_before_it_delivered(name: str) -> None:
    content = bytearray(FORMATS[name](LARGE))
    content[len(content) * 3 // 4] ^= 0x55
    source = source_of(bytes(content))
    packets = packets_of(source)
    sound = 7500  # packets of the first block, whatever the format
    assert [packet.data for packet in packets[:sound]] == LARGE_DATA[:sound]
    assert source.damage is not None


@every_format
def test_something_else_behind_it_is_told(name: str) -> None:
    source = source_of(FORMATS[name](CAPTURE) + b"something else")
    assert packets_of(source) == WHOLE
    assert source.damage == (
        f"input is cut off at byte {len(CAPTURE)} of the {name} content: "
        f"the {name} data is followed by something else"
    )


@every_format
def test_compressed_nothing_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"^input has no bytes"):
        source_of(FORMATS[name](b""))


@every_format
def test_compressed_text_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"^input is not a capture: it begins with .* 73 6f 6d 65"):
        source_of(FORMATS[name](b"some text"))


@every_format
def test_only_the_magic_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"input is not a capture: the {name} data ends too early"):
        source_of(FORMATS[name](CAPTURE)[:6])


def test_packets_of_a_compressed_pipe_come_at_once() -> None:
    reading, writing = os.pipe()
    source = open_savefile("-", standard_input=reading)
    compressor = zlib.compressobj(wbits=31)
    packets_of(source_of(CAPTURE))  # compiled
    for number, content in enumerate((CAPTURE[:140], CAPTURE[140:256])):
        flushed = compressor.compress(content) + compressor.flush(zlib.Z_SYNC_FLUSH)
        os.write(writing, flushed)
        started = time.monotonic()
        assert read_once(source) == WHOLE[number : number + 1]
        assert source.read(0.05) is None
        assert time.monotonic() - started < 0.3
    os.close(writing)
    assert packets_of(source) == []
    assert source.damage is not None
    os.close(reading)


@every_format
def test_memory_does_not_grow_with_what_is_compressed(name: str) -> None:
    # 60 MB of equal packets become some kB. A reader that decompresses them at once holds them all;
    # ours holds what 1 KiB of zstd can become, 32 MiB.
    content = FORMATS[name](HEADER + record(bytes(1500)) * 40_000)
    packets_of(source_of(FORMATS[name](CAPTURE)))  # modules are imported, kernels compiled
    tracemalloc.start()
    source = source_of(content, capacity=1 << 20)
    count = 0
    while not source.ended:
        batch = source.read(0)
        count += 0 if batch is None else len(batch.packet)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert peak < 40e6
