"""A decompressor that loses nothing to damage: it gives what is before, then raises.

bzip2's, lzma's and zstandard's throw away what they have in hand when they meet damage, be it only
a wrong checksum behind it, and they cannot be copied beforehand. So what they were given is kept,
and given to a new one, byte by byte where the first one stumbled. (Of a bzip2 block whose own
checksum is wrong the very last byte stays lost: no further input is needed to find that out.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tcpsnoop.sources.decompressor import DAMAGE, Decompressor

# Beyond this nothing is kept: of a longer member, damage costs what one call would have given.
MOST_KEPT = 8 * 1024 * 1024
_MOST_CALLS = 16_384


class _Call(NamedTuple):
    """A call of `decompress`, and how many bytes it gave."""

    data: bytes
    max_length: int
    given: int


class ReplayingMember:
    """A Decompressor around another kind of them."""

    def __init__(self, make: Callable[[], Decompressor]) -> None:
        self._make = make
        self._member = make()
        self._calls: list[_Call] = []
        self._room = MOST_KEPT
        self._error: Exception | None = None

    @property
    def eof(self) -> bool:
        """See Decompressor."""
        return self._member.eof

    @property
    def needs_input(self) -> bool:
        """See Decompressor."""
        return self._error is None and self._member.needs_input

    @property
    def unused_data(self) -> bytes:
        """See Decompressor."""
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """See Decompressor."""
        if self._error is not None:
            raise self._error
        try:
            output = self._member.decompress(data, max_length)
        except DAMAGE as error:
            self._error = error
            return self._before_damage(data, max_length)
        self._keep(_Call(data, max_length, len(output)))
        return output

    def _keep(self, call: _Call) -> None:
        self._room -= len(call.data)
        if self._room < 0 or len(self._calls) == _MOST_CALLS:
            self._room = -1
            self._calls.clear()
        else:
            self._calls.append(call)

    def _before_damage(self, data: bytes, max_length: int) -> bytes:
        """What the call that raised would have given."""
        if self._room < 0:
            return b""
        calls = [*self._calls, _Call(data, max_length, 0)]
        self._calls.clear()
        # The input that damage is in may have been given some calls ago.
        last = max(index for index, call in enumerate(calls) if call.data or index == 0)
        member = self._make()
        for call in calls[:last]:
            member.decompress(call.data, call.max_length)
        output = bytearray()
        try:
            for value in calls[last].data:
                output += member.decompress(bytes((value,)), max_length)
                while not member.needs_input and not member.eof:
                    output += member.decompress(b"", max_length)
        except DAMAGE:
            pass
        return bytes(output[sum(call.given for call in calls[last:]) :])
