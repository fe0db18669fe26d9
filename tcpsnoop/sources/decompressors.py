"""The formats of compressed input: how each begins, and what decompresses it in bounded memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from tcpsnoop.sources.decompressor import Decompressor
from tcpsnoop.sources.replaying import ReplayingMember

# zstandard has no limit on what it gives for an input, so it gets small ones: a block of 4 bytes
# becomes at most 128 KiB, so these at most 32 MiB.
ZSTD_INPUT = 1024

# Enough for `xz -9` (65 MiB); more is refused, as a hostile file can ask for gigabytes.
XZ_MEMORY = 128 * 1024 * 1024


class Compression(NamedTuple):
    """A format: how its streams begin, and what decompresses one."""

    name: str
    magics: tuple[bytes, ...]
    decompressor: Callable[[], Decompressor]


class GzipMember:
    """zlib, for gzip.

    zlib throws away what it has when it meets damage, be it only a wrong checksum at the end; here
    that is given first, and the error raised after it.
    """

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._error: zlib.error | None = None
        self._more = False

    @property
    def eof(self) -> bool:
        """See Decompressor."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """See Decompressor."""
        return not self._more

    @property
    def unused_data(self) -> bytes:
        """See Decompressor."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """See Decompressor."""
        if self._error is not None:
            raise self._error
        data = self._zlib.unconsumed_tail + data
        before = self._zlib.copy()
        try:
            output = self._zlib.decompress(data, max_length)
            self._more = bool(self._zlib.unconsumed_tail) or len(output) == max_length
        except zlib.error as error:
            output, self._error, self._more = _sound_part(before, data), error, True
        return output


def _sound_part(state: Any, data: bytes) -> bytes:
    """What zlib gives for `data` before the byte that it stumbles over."""
    output = bytearray()
    try:
        for value in data:
            output += state.decompress(bytes((value,)))
    except zlib.error:
        pass
    return bytes(output)


class ZstdFrame:
    """A frame of zstandard, which is imported only when there is one."""

    def __init__(self) -> None:
        import zstandard

        self._damage = zstandard.ZstdError
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._input = memoryview(b"")

    @property
    def eof(self) -> bool:
        """See Decompressor."""
        return self._frame.eof

    @property
    def needs_input(self) -> bool:
        """See Decompressor."""
        return not self._input

    @property
    def unused_data(self) -> bytes:
        """See Decompressor."""
        return self._frame.unused_data + bytes(self._input)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """See Decompressor; what it gives is bounded, but not by `max_length`."""
        if data:
            self._input = memoryview(bytes(self._input) + data)
        piece, self._input = self._input[:ZSTD_INPUT], self._input[ZSTD_INPUT:]
        try:
            return self._frame.decompress(piece)
        except self._damage as error:
            raise OSError(error) from error


def _xz() -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)


COMPRESSIONS = (
    Compression("gzip", (b"\x1f\x8b",), GzipMember),
    Compression("bzip2", (b"BZh",), lambda: ReplayingMember(bz2.BZ2Decompressor)),
    Compression("xz", (b"\xfd7zXZ\0",), lambda: ReplayingMember(_xz)),
    # Besides frames there are skippable ones; pzstd begins with one.
    Compression(
        "zstd",
        (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"),
        lambda: ReplayingMember(ZstdFrame),
    ),
)

LONGEST_MAGIC = max(len(magic) for compression in COMPRESSIONS for magic in compression.magics)
