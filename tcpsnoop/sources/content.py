"""What a stream contains: its bytes, or what they are when decompressed."""

from __future__ import annotations

import time

from tcpsnoop.sources.decompressor import DAMAGE, Decompressor
from tcpsnoop.sources.decompressors import COMPRESSIONS, LONGEST_MAGIC, Compression
from tcpsnoop.sources.stream import Stream

# Compressed bytes are read in pieces of this size, and asked to give about as many at a time.
PIECE = 128 * 1024


class ContentStream:
    """A stream, decompressed if it begins like a compressed one."""

    def __init__(self, stream: Stream) -> None:
        self.waits = stream.waits
        self.compression = ""
        """The name of the format, once the first bytes have come."""
        self._stream = stream
        self._begun = b""
        self._decided = False

    @property
    def fault(self) -> str | None:
        """See Stream."""
        return self._stream.fault

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """See Stream."""
        deadline = time.monotonic() + timeout
        while not self._decided:
            room = memoryview(bytearray(LONGEST_MAGIC - len(self._begun)))
            count = self._stream.readinto(room, max(0.0, deadline - time.monotonic()))
            if count is None:
                return None
            self._begun += bytes(room[:count])
            if count == 0 or len(self._begun) == LONGEST_MAGIC:
                self._decide()
        if self._begun:
            count = min(len(view), len(self._begun))
            view[:count] = self._begun[:count]
            self._begun = self._begun[count:]
            return count
        return self._stream.readinto(view, max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()

    def _decide(self) -> None:
        self._decided = True
        for compression in COMPRESSIONS:
            if self._begun.startswith(compression.magics):
                self.compression = compression.name
                self._stream = DecompressedStream(compression, self._stream, self._begun)
                self._begun = b""


class DecompressedStream:
    """What a compressed stream contains: one member, or several one after the other."""

    def __init__(self, compression: Compression, stream: Stream, begun: bytes) -> None:
        self.fault: str | None = None
        self.waits = stream.waits
        self._compression = compression
        self._stream = stream
        self._input = begun
        self._output = memoryview(b"")
        self._member: Decompressor | None = None
        self._room = memoryview(bytearray(PIECE))

    def readinto(self, view: memoryview, timeout: float) -> int | None:
        """See Stream."""
        deadline = time.monotonic() + timeout
        while not self._output:
            if self.fault is not None:
                return 0
            if self._step():
                continue
            count = self._stream.readinto(self._room, max(0.0, deadline - time.monotonic()))
            if count is None:
                return None
            if count == 0:
                self.fault = self._stream.fault or self._fault_at_end()
                return 0
            self._input += bytes(self._room[:count])
        count = min(len(view), len(self._output))
        view[:count] = self._output[:count]
        self._output = self._output[count:]
        return count

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()

    def _step(self) -> bool:
        """Go on by some output, or to the next member, or to a fault; False: input is needed."""
        if self._member is None:
            return self._begin_member()
        if not self._input and self._member.needs_input:
            return False
        given, self._input = self._input, b""
        try:
            self._output = memoryview(self._member.decompress(given, PIECE))
        except DAMAGE as error:
            self.fault = f"the {self._compression.name} data is damaged ({error})"
            return True
        if self._member.eof:
            self._input = self._member.unused_data
            self._member = None
        return True

    def _begin_member(self) -> bool:
        # Some writers fill up with zeros; no member begins with one.
        self._input = self._input.lstrip(b"\0")
        magics = self._compression.magics
        if self._input.startswith(magics):
            self._member = self._compression.decompressor()
            return True
        if any(magic.startswith(self._input) for magic in magics):
            return False
        self.fault = f"the {self._compression.name} data is followed by something else"
        return True

    def _fault_at_end(self) -> str | None:
        """What is wrong if the compressed stream ends here."""
        if self._member is None and not self._input:
            return None
        return f"the {self._compression.name} data ends too early"
