"""Journals are read to their end, or to where they are cut off or damaged; others are refused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.owners.journal.lines import header_line
from tcpsnoop.owners.journal.reader import open_journal
from tcpsnoop.owners.journal.records import CgroupNumber, End
from tests.owners.journal.journals import HEADER, line, reader_of, written

CGROUPS = [CgroupNumber(number, f"/{number}") for number in range(5)]
WHOLE = written([*CGROUPS, End(9, 0)])


def test_a_whole_journal() -> None:
    reader = reader_of(WHOLE)
    assert reader.header == HEADER
    assert list(reader) == [*CGROUPS, End(9, 0)]
    assert reader.damage is None
    assert list(reader) == []


def test_cut_off_anywhere_it_is_read_up_to_there() -> None:
    for size in range(len(header_line(HEADER)), len(WHOLE)):
        reader = reader_of(WHOLE[:size])
        whole_lines = WHOLE[:size].count(b"\n")
        assert list(reader) == CGROUPS[: whole_lines - 1]
        right = WHOLE[:size].rindex(b"\n") + 1
        assert reader.damage is not None
        assert reader.damage.startswith(f"j is cut off at byte {right}, behind line {whole_lines}:")


@pytest.mark.parametrize("read", [0, 2])
def test_what_is_left_unread_is_missed_all_the_same(read: int) -> None:
    for size in range(len(header_line(HEADER)), len(WHOLE) + 1):
        reader = reader_of(WHOLE[:size])
        records = iter(reader)
        for _ in range(read):
            next(records, None)
        reader.read_to_end()
        assert (reader.damage is None) == (size == len(WHOLE))
        if reader.damage is not None:
            right = WHOLE[:size].rindex(b"\n") + 1
            assert f"cut off at byte {right}" in reader.damage


def test_cut_off_in_its_first_line_it_tells_nothing() -> None:
    for size in range(len(header_line(HEADER))):
        told = "is empty" if size == 0 else "not a journal" if size < 20 else "cut off in its first"
        with pytest.raises(UsageError, match=told):
            reader_of(WHOLE[:size])


def test_damage_ends_it() -> None:
    reader = reader_of(WHOLE.replace(b'"path":"/2"', b'"path": /2"'))
    assert list(reader) == CGROUPS[:2]
    assert reader.damage == "j is damaged in line 4: a line that is no JSON"


def test_more_behind_the_end_is_damage() -> None:
    reader = reader_of(WHOLE + WHOLE)
    assert list(reader) == [*CGROUPS, End(9, 0)]
    assert reader.damage == f"j goes on behind its end, at byte {len(WHOLE)}"


def test_lines_of_a_kind_that_is_not_known_are_left() -> None:
    before, after = WHOLE.split(b'{"cgroup":{"number":2', 1)
    content = before + line({"tomorrow": 1}) + b'{"cgroup":{"number":2' + after
    assert list(reader_of(content)) == [*CGROUPS, End(9, 0)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "j is empty"),
        (b"\n", "not a journal of owners"),
        (b"{}\n", "not a journal of owners"),
        (b"\xd4\xc3\xb2\xa1\x02\0\4\0", "not a journal of owners"),
        (b"x" * 1000, "not a journal of owners"),
        (WHOLE.replace(b'_journal":1', b'_journal":2', 1), "of version 2: this tcpsnoop reads ver"),
        (WHOLE.replace(b'_journal":1', b'_journal":"1"', 1), "damaged in its first line"),
        (WHOLE.replace(b'_journal":1', b'_journal":', 1), "damaged in its first line"),
        (WHOLE.replace(b'"pids":', b'"dips":', 1), "damaged in its first line"),
    ],
)
def test_what_is_none_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        reader_of(content)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with pytest.raises(UsageError, match=r"--owners .*/j: No such file"):
        open_journal(str(path))
    with pytest.raises(UsageError, match="Is a directory"):
        open_journal(str(tmp_path))
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="is empty"):
        open_journal(str(path))
    path.write_bytes(WHOLE)
    reader = open_journal(str(path))
    assert len(list(reader)) == 6
    reader.close()


def test_a_pipe(tmp_path: Path) -> None:
    """As of `--owners <(zcat x.gz)`."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(WHOLE,))
    writing.start()
    reader = open_journal(str(pipe))
    assert list(reader) == [*CGROUPS, End(9, 0)]
    writing.join()
    reader.close()
    assert reader.damage is None
