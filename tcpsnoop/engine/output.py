"""Where the report goes: standard output or a file, written whole or said so."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from typing import IO, Protocol

from tcpsnoop.errors import CaptureError, UsageError

# A second report of one run waits here until the first is printed; small ones stay in memory.
_SPOOL_BYTES = 1 << 22


class ClosedPipeError(Exception):
    """Whoever reads the output has gone: no error, but there is nothing left to do."""


class Sink(Protocol):
    """Takes bytes."""

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write the pieces, all of them; CaptureError or ClosedPipeError otherwise."""


class Output:
    """The real thing, by descriptor: nothing stays in a buffer, so nothing is lost or late."""

    def __init__(self, path: str | None, *, force: bool = False, descriptor: int = 1) -> None:
        self._name = path or "standard output"
        self._owned = path is not None
        if path is None:
            self._descriptor = descriptor
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
        try:
            self._descriptor = os.open(path, flags, 0o666)
        except FileExistsError:
            raise UsageError(f"{path} exists: --force overwrites it") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None

    def write(self, pieces: Iterable[bytes]) -> None:
        """See Sink."""
        for piece in pieces:
            rest = memoryview(piece)
            while len(rest) > 0:
                rest = rest[self._write_some(rest) :]

    def _write_some(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except BrokenPipeError:
            raise ClosedPipeError from None
        except OSError as error:
            raise CaptureError(f"{self._name} was not written whole: {error.strerror}") from None

    def close(self) -> None:
        """Close a file; say so if that is where its bytes got lost."""
        if self._owned:
            self._owned = False
            try:
                os.close(self._descriptor)
            except OSError as error:
                reason = f"{self._name} was not written whole: {error.strerror}"
                raise CaptureError(reason) from None


class Spool:
    """Keeps what is written until it can go to the real output."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115  (closed by pour)

    def write(self, pieces: Iterable[bytes]) -> None:
        """See Sink."""
        try:
            self._file.writelines(pieces)
        except OSError as error:
            reason = f"a report could not be kept until its turn: {error.strerror}"
            raise CaptureError(reason) from None

    def pour(self, sink: Sink) -> None:
        """Hand everything on."""
        self._file.seek(0)
        sink.write(iter(lambda: self._file.read(1 << 16), b""))
        with contextlib.suppress(OSError):
            self._file.close()
