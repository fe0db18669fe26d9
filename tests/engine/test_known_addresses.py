"""Addresses that are known to be local: the host's, those that files record, those of a journal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.engine import known_addresses
from tcpsnoop.engine.known_addresses import AGAIN_SECONDS, KnownAddresses
from tcpsnoop.engine.settings import Settings
from tcpsnoop.owners import Procfs
from tcpsnoop.provider.sides import Window
from tcpsnoop.renderers.text import Text
from tcpsnoop.sources.savefile import open_savefile
from tests.fixture_types import Capture
from tests.owners.proc_tree import Clock, ProcTree

Address = tuple[int, int]
HOST, OTHER = halves("192.0.2.1"), halves("192.0.2.9")
RECORDED = {halves("192.0.2.1"), halves("2001:db8::1")}


class Knowing(Window):
    """A window that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[set[Address]] = []
        super().__init__((), waits=False)

    def know(self, addresses: Iterable[Address]) -> None:
        self.told.append(set(addresses))


def of_file(capture: Capture, owners: Procfs | None = None) -> KnownAddresses:
    name = str(capture("addresses.pcapng"))
    settings = Settings((), Text, files=(name,))
    source = open_savefile(name)
    source.read(1.0)
    return KnownAddresses(settings, source, owners)


def window() -> Knowing:
    """One that was told nothing since it was made."""
    made = Knowing()
    made.told.clear()
    return made


def test_those_that_a_file_records_once_they_were_met(capture: Capture) -> None:
    known, knowing = of_file(capture), window()
    assert list(known.now()) == []
    known.met(knowing, 0)
    assert knowing.told == []
    known.met(knowing, 1)
    known.met(knowing, 1)
    known.refresh(knowing, 1e9)
    assert knowing.told == [RECORDED]


def test_those_of_a_journal_besides(capture: Capture, tmp_path: Path) -> None:
    owners = Procfs(Clock().nanoseconds, ProcTree(tmp_path / "proc").root, Clock())
    owners.addresses = frozenset({OTHER})
    known, knowing = of_file(capture, owners), window()
    assert set(known.now()) == {OTHER}
    known.met(knowing, 1)
    owners.addresses = frozenset()
    known.met(knowing, 1)
    assert knowing.told == [RECORDED | {OTHER}, RECORDED]


def test_live_those_of_the_host_again_after_a_while(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [HOST]
    monkeypatch.setattr(known_addresses, "host_addresses", lambda: list(found))
    source = open_savefile(str(capture("addresses.pcapng")))
    known, knowing = KnownAddresses(Settings((), Text), source, None), window()
    assert known.now() == [HOST]
    known.met(knowing, 1)
    assert knowing.told == []  # live, interfaces record nothing
    known.refresh(knowing, 100.0)
    found[:] = [OTHER]
    known.refresh(knowing, 100.0 + AGAIN_SECONDS / 2)
    known.refresh(knowing, 100.0 + AGAIN_SECONDS)
    assert knowing.told == [{HOST}, {OTHER}]
