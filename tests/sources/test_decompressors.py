"""Each decompressor alone: one interface, bounded output, what is left behind a member."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Callable

import pytest
import zstandard

from tcpsnoop.sources import replaying
from tcpsnoop.sources.decompressor import DAMAGE
from tcpsnoop.sources.decompressors import COMPRESSIONS, Compression, GzipMember

CONTENT = random.Random(5).randbytes(300_000)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
COMPRESS_CHECKED = {
    **COMPRESS,
    "bzip2": lambda content: bz2.compress(content, 1 if len(content) == len(CONTENT) else 9),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
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


def before_damage(form: Compression, compressed: bytes, piece: int, most: int) -> bytes:
    """What a member gives before it raises."""
    member = form.decompressor()
    output = b""
    while True:
        given = compressed[:piece] if member.needs_input else b""
        compressed = compressed[len(given) :]
        try:
            output += member.decompress(given, most)
        except DAMAGE:
            return output
        assert not member.eof


# Where a checksum of the content stands: at the end of gzip and zstd; in xz before the index and
# the footer; in bzip2 at the end too, with up to seven bits behind it.
CHECKSUM_AT = {"gzip": -8, "bzip2": -3, "xz": -26, "zstd": -4}


@every_format
@pytest.mark.parametrize(("piece", "most"), [(1_000_000, 131_072), (700, 1000), (5000, 70_000)])
def test_a_wrong_checksum_costs_no_byte(form: Compression, piece: int, most: int) -> None:
    content = CONTENT[:250_000]
    wrong = bytearray(COMPRESS_CHECKED[form.name](content))
    wrong[CHECKSUM_AT[form.name]] ^= 1
    assert before_damage(form, bytes(wrong), piece, most) == content


@every_format
@pytest.mark.parametrize("piece", [1_000_000, 700, 131_072])
def test_damage_in_the_last_block_costs_none_of_the_blocks_before(
    form: Compression, piece: int
) -> None:
    # Blocks: 128 KiB in zstd, 100,000 bytes less 19 in bzip2 -1; xz and gzip have smaller units.
    wrong = bytearray(COMPRESS_CHECKED[form.name](CONTENT))
    wrong[-600:-500] = bytes(100)
    output = before_damage(form, bytes(wrong), piece, 131_072)
    sound = {"zstd": 2 * 131_072, "bzip2": 2 * 99_981}.get(form.name, 298_000)
    assert output[:sound] == CONTENT[:sound]


def test_beyond_what_is_kept_damage_costs_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "MOST_KEPT", 100_000)
    (form,) = (form for form in COMPRESSIONS if form.name == "xz")
    wrong = bytearray(lzma.compress(CONTENT))
    wrong[CHECKSUM_AT["xz"]] ^= 1
    output = before_damage(form, bytes(wrong), 5000, 70_000)
    assert output == CONTENT[: len(output)]
    assert len(CONTENT) - 70_000 <= len(output) < len(CONTENT)


def test_gzip_gives_what_is_sound_before_it_raises() -> None:
    compressed = gzip.compress(CONTENT)
    member = GzipMember()
    wrong = compressed[:-8] + bytes(8)
    assert member.decompress(wrong, 1_000_000) == CONTENT
    assert not member.needs_input
    with pytest.raises(DAMAGE, match="incorrect data check"):
        member.decompress(b"", 1_000_000)
