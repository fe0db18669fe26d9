"""Where the report goes: standard output or a file, written whole or said so."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
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
    """The real thing, by descriptor: nothing stays in a buffer, so nothing is lost or late.

    A file is made by `open`, and what an old one held goes with the first write, so that a run
    which is refused has destroyed nothing.
    """

    def __init__(self, path: str | None, *, force: bool = False, descriptor: int = 1) -> None:
        self._path, self._force, self._descriptor = path, force, descriptor
        self._name = path or "standard output"
        self._made = self._replaces = False

    def open(self) -> None:
        """Make the file, if it is one; UsageError when it exists or cannot be made."""
        if self._path is None:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        try:
            try:
                self._descriptor = os.open(self._path, flags | os.O_EXCL, 0o666)
                self._made = True
            except FileExistsError:
                if not self._force:
                    raise UsageError(f"{self._path} exists: --force overwrites it") from None
                self._descriptor = os.open(self._path, flags, 0o666)
                self._replaces = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        except OSError as error:
            raise UsageError(f"{self._path} cannot be written: {error.strerror}") from None

    def write(self, pieces: Iterable[bytes]) -> None:
        """See Sink."""
        self._empty()
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

    def _empty(self) -> None:
        if self._replaces:
            self._replaces = False
            os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        """Close a file; say so if that is where its bytes got lost."""
        if self._path is not None:
            self._empty()
            self._path = None
            try:
                os.close(self._descriptor)
            except OSError as error:
                reason = f"{self._name} was not written whole: {error.strerror}"
                raise CaptureError(reason) from None

    def withdraw(self) -> None:
        """Nothing was started: leave no file where there was none."""
        if self._made and self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


class Spool:
    """Keeps what is written until it can go to the real output."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115  (closed by _close)

    def write(self, pieces: Iterable[bytes]) -> None:
        """See Sink."""
        with self._kept():
            self._file.writelines(pieces)

    def pour(self, sink: Sink) -> None:
        """Hand everything on."""
        with self._kept():
            self._file.seek(0)  # writes what the file still had in its buffer
        try:
            sink.write(iter(lambda: self._file.read(1 << 16), b""))
        finally:
            self._close()

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._close()
            reason = f"a report could not be kept until its turn: {error.strerror}"
            raise CaptureError(reason) from None

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
