"""Each decompressor alone: one interface, bounded output, what is left behind a member."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Callable

import pytest
import zstandard

from tcpsnoop.sources.decompressors import COMPRESSIONS, DAMAGE, Compression, GzipMember

CONTENT = random.Random(5).randbytes(300_000)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
every_format = pytest.mark.parametrize("form", COMPRESSIONS, ids=lambda form: form.name)


def decompressed(
    form: Compression, compressed: bytes, piece: int, most: int
) -> tuple[bytes, bytes]:
    """What a member contains, and what is left of the input."""
    member = form.decompressor()
    output = b""
    while not member.eof:
        given, compressed = (
            (compressed[:piece], compressed[piece:]) if member.needs_input else (b"", compressed)
        )
        part = member.decompress(given, most)
        assert given or part or not member.needs_input or member.eof
        assert len(part) <= max(most, 131_072)
        output += part
    return output, member.unused_data + compressed


@every_format
@pytest.mark.parametrize(("piece", "most"), [(1_000_000, 1000), (700, 1000), (5000, 1_000_000)])
def test_a_member_and_what_follows_it(form: Compression, piece: int, most: int) -> None:
    compressed = COMPRESS[form.name](CONTENT)
    assert compressed.startswith(form.magics)
    assert decompressed(form, compressed + b"behind", piece, most) == (CONTENT, b"behind")


@every_format
def test_damage_is_one_of_the_expected_errors(form: Compression) -> None:
    given = form.magics[0] + bytes(range(100, 200)) * 20
    with pytest.raises(DAMAGE):
        decompressed(form, given, 100, 1000)


def test_gzip_gives_what_is_sound_before_it_raises() -> None:
    compressed = gzip.compress(CONTENT)
    member = GzipMember()
    wrong = compressed[:-8] + bytes(8)
    assert member.decompress(wrong, 1_000_000) == CONTENT
    assert not member.needs_input
    with pytest.raises(DAMAGE, match="incorrect data check"):
        member.decompress(b"", 1_000_000)
