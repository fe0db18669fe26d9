"""The errors that count as damage are those that the libraries raise."""

from __future__ import annotations

import bz2
import lzma
import zlib

import pytest

from tcpsnoop.sources.decompressor import DAMAGE


def test_what_the_libraries_raise() -> None:
    for member in (bz2.BZ2Decompressor(), lzma.LZMADecompressor(), zlib.decompressobj()):
        with pytest.raises(DAMAGE):
            member.decompress(b"neither of these formats")
