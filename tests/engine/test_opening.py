"""Opening what packets come from: files, several of them, refusals before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.engine.opening import open_source
from tcpsnoop.engine.settings import Settings
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.renderers.text import Text
from tests.fixture_types import Capture


def settings(*files: Path | str, expression: str = "", interface: str = "any") -> Settings:
    names = tuple(str(file) for file in files)
    return Settings((), Text, files=names, filter=expression, interface=interface)


def packets(source: PacketSource) -> list[tuple[int, int]]:
    """File and number of each packet."""
    found = []
    while not source.ended:
        batch = source.read(1.0)
        if batch is not None:
            files = [source.interfaces[number].file for number in batch.interface.tolist()]
            found += list(zip(files, batch.packet.tolist(), strict=True))
    source.close()
    return found


def test_one_file(capture: Capture) -> None:
    source = open_source(settings(capture("finger.pcap")))
    assert packets(source) == [(0, number) for number in range(1, 12)]


def test_several_files_know_their_numbers(capture: Capture) -> None:
    names = ("writes.pcap", "finger.pcap", "accepts.pcap")
    source = open_source(settings(*(capture(name) for name in names)))
    found = packets(source)
    for file, count in enumerate((32, 11, 110)):
        assert [number for of, number in found if of == file] == list(range(1, count + 1))


def test_a_wrong_filter_is_refused_before_files_are_opened() -> None:
    with pytest.raises(UsageError, match="filter"):
        open_source(settings("no/such", expression="tcp prot 80"))


def test_standard_input_is_read_alone(capture: Capture) -> None:
    with pytest.raises(UsageError, match="standard input"):
        open_source(settings("-", capture("finger.pcap")))


@pytest.mark.live
def test_an_interface_with_a_filter() -> None:
    source = open_source(settings(interface="lo", expression="tcp port 1"))
    assert source.live
    assert [interface.name for interface in source.interfaces] == ["lo"]
    source.close()
    with pytest.raises(UsageError, match="filter"):
        open_source(settings(interface="lo", expression="tcp prot 80"))
