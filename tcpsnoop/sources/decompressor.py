"""What every decompressor offers, whatever the format, and what it raises."""

from __future__ import annotations

import lzma
import zlib
from typing import Protocol

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decompressors raise for data that cannot be."""


class Decompressor(Protocol):
    """What bz2 and lzma offer; the others are brought to it."""

    @property
    def eof(self) -> bool:
        """The compressed stream is complete."""

    @property
    def needs_input(self) -> bool:
        """There is nothing more to give for the input so far."""

    @property
    def unused_data(self) -> bytes:
        """Input after the end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take input in and give about `max_length` bytes at most."""
