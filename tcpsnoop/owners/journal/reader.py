"""A journal is read: line by line, up to its end, or to where it is cut off or damaged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tcpsnoop.errors import UsageError
from tcpsnoop.owners.journal.parsing import parse_header, parse_line, version_of
from tcpsnoop.owners.journal.records import MAGIC, VERSION, DamageError, End, Header, Record

# A longer line is damage: some 70 bytes are an event, and a line has some thousand of them.
LONGEST_LINE = 1 << 26


class JournalReader:
    """The records of a file in their order; `damage` says what is missing, once it is known."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self.damage: str | None = None
        self._file = file
        self._bytes = self._lines = 0  # read and right
        self._ended = False
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Record]:
        while not self._ended:
            line = self._readline()
            record = self._record(line)
            if record is not None:
                yield record

    def read_to_end(self) -> None:
        """Leave the rest unread, but find out whether it is there: a journal ends with `End`."""
        last, at = b"", self._bytes
        while not self._ended:
            line = self._readline()
            if not line and not self._ended:
                self._bytes, self._ended = at, True
                self._check_last(last)
            elif not line.endswith(b"\n"):
                self._bytes = at
                self._cut()
            else:
                last, at = line, at + len(line)
                self._lines += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read_header(self) -> Header:
        line = self._file.readline(LONGEST_LINE)
        if not line:
            raise UsageError(f"{self.name} is empty")
        if not line.startswith(MAGIC):
            raise UsageError(
                f"{self.name} is not a journal of owners: `tcpsnoop owners --journal` writes them"
            )
        if not line.endswith(b"\n"):
            raise UsageError(f"{self.name} is cut off in its first line: it tells nothing")
        try:
            version = version_of(line)
            if type(version) is int and version != VERSION:
                raise UsageError(
                    f"{self.name} is a journal of version {version}: this tcpsnoop reads version "
                    f"{VERSION}"
                )
            header = parse_header(line)
        except DamageError as error:
            raise UsageError(f"{self.name} is damaged in its first line: {error}") from None
        self._bytes, self._lines = len(line), 1
        return header

    def _readline(self) -> bytes:
        try:
            return self._file.readline(LONGEST_LINE)
        except OSError as error:
            self._end(f"{self.name} could not be read behind line {self._lines}: {error.strerror}")
            return b""

    def _record(self, line: bytes) -> Record | None:
        if self._ended or not line.endswith(b"\n"):
            self._cut()
            return None
        try:
            record = parse_line(line)
        except DamageError as error:
            self._end(f"{self.name} is damaged in line {self._lines + 1}: {error}")
            return None
        self._bytes += len(line)
        self._lines += 1
        if isinstance(record, End):
            self._ended = True
            if self._file.read(1):
                self._end(f"{self.name} goes on behind its end, at byte {self._bytes}")
        return record

    def _check_last(self, line: bytes) -> None:
        try:
            ended = bool(line) and isinstance(parse_line(line), End)
        except DamageError:
            ended = False
        if not ended:
            self._cut()

    def _cut(self) -> None:
        self._end(
            f"{self.name} is cut off at byte {self._bytes}, behind line {self._lines}: "
            "who wrote it was killed, or still writes"
        )

    def _end(self, damage: str) -> None:
        self._ended = True
        self.damage = self.damage or damage


def open_journal(path: str) -> JournalReader:
    """A journal by its path; UsageError when it cannot be read or is none."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - the reader closes it
    except OSError as error:
        raise UsageError(f"--owners {path}: {error.strerror}") from None
    try:
        return JournalReader(path, file)
    except OSError as error:
        file.close()
        raise UsageError(f"--owners {path}: {error.strerror}") from None
    except UsageError:
        file.close()
        raise
