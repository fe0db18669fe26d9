"""What an input is, by its first bytes, and what the user is told when it is no capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.formats import FOREIGN, FORMATS, recognise
from tcpsnoop.sources.savefile import open_savefile
from tests.sources.reading import source_of


def test_no_format_begins_like_another() -> None:
    magics = [*(form.magic for form in FORMATS), *FOREIGN]
    for magic in magics:
        assert [other for other in magics if other.startswith(magic)] == [magic]


def test_a_format_is_recognised_by_its_magic_alone() -> None:
    for form in FORMATS:
        assert recognise(form.magic) == recognise(form.magic + b"more") == form
        assert recognise(form.magic[:-1]) is None


def test_no_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.touch()
    with pytest.raises(UsageError, match=rf"^{path} has no bytes: not even the file header"):
        open_savefile(str(path))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd4", "is not a capture: it begins with the bytes d4, neither pcap, pcapng nor snoop"),
        (b"hello, world", "is not a capture: it begins with the bytes 68 65 6c 6c, neither"),
        (b"\n\r\r!", "is not a capture: it begins with the bytes 0a 0d 0d 21, neither"),
        # 0a 0d 0d 0a with CR made LF, and with LF made CR LF.
        (b"\n\n\n\n\x1c\0\0\0", "is a pcapng that was transferred as text"),
        (b"\r\n\r\r\r\n\x1c\0\0\0", "is a pcapng that was transferred as text"),
        (b"\xa1\xb2\x34\xcd" + bytes(40), "is a capture in Mesquita's own variant of pcap: ask"),
        (b"\x4d\x3c\x2b\xa1" + bytes(40), "is a capture in Navtel's own variant of pcap: ask"),
        (b"RTSS" + bytes(40), "is a capture of Microsoft Network Monitor, which is not read: conv"),
        (b"TRSNIFF data    \x1a" + bytes(40), "is a capture of NAI Sniffer, which is not read"),
    ],
)
def test_what_is_no_capture_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        source_of(content)
    assert str(refused.value).startswith(f"input {told}")
    assert "\n" not in str(refused.value)
