"""A decompressor around another: the same bytes, and those before damage."""

from __future__ import annotations

import bz2

import pytest

from tcpsnoop.sources.decompressor import DAMAGE
from tcpsnoop.sources.replaying import ReplayingMember


class Stumbling:
    """Gives its input back, and stumbles over an `x`, throwing away the piece that has it."""

    unused_data = b""
    eof = False

    def __init__(self) -> None:
        self._held = b""

    @property
    def needs_input(self) -> bool:
        return not self._held

    def decompress(self, data: bytes, max_length: int) -> bytes:
        held = self._held + data
        output, self._held = held[:max_length], held[max_length:]
        if b"x" in output:
            raise EOFError
        return output


def test_what_is_before_the_stumble_is_given_and_the_error_raised_after_it() -> None:
    member = ReplayingMember(Stumbling)
    assert member.decompress(b"abc", 10) == b"abc"
    assert member.decompress(b"defxghi", 10) == b"def"
    assert not member.needs_input
    for _ in range(2):
        with pytest.raises(DAMAGE):
            member.decompress(b"", 10)


def test_without_damage_it_is_the_other_one() -> None:
    member = ReplayingMember(bz2.BZ2Decompressor)
    compressed = bz2.compress(b"content")
    assert member.needs_input
    assert member.decompress(compressed + b"behind", 100) == b"content"
    assert member.eof
    assert member.unused_data == b"behind"
