"""What every journal begins with."""

from __future__ import annotations

from tcpsnoop.owners.journal.lines import header_line
from tcpsnoop.owners.journal.records import MAGIC, VERSION
from tests.owners.journal.journals import HEADER


def test_the_first_bytes_tell_a_journal_and_its_version() -> None:
    assert header_line(HEADER).startswith(MAGIC + b"%d," % VERSION)
