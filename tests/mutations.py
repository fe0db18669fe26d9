"""Captures with one byte changed, removed or doubled, and all that is made of them.

`python -m tests.mutations COUNT` prints a line for each of COUNT mutations, spread over all
positions of all small captures: run with kernels compiled and interpreted, and compared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from captures.make.catalogue import HOME
from tcpsnoop.batches.probes import PROBES
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.engine.intake import Intake
from tcpsnoop.errors import UsageError
from tcpsnoop.names.services import registered_ports
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker
from tcpsnoop.sources.savefile import SavefileSource
from tests.sources.reading import Pieces

SMALL = 3000
PACKETS, CONNECTIONS, CAPACITY = 64, 64, 4096
CHANGES = (0x01, 0x80, 0xFF)
"""What a changed byte is exclusive-ored with."""


Row: TypeAlias = tuple[int, ...]
"""A row of PROBE_ROW; the packet is first."""


class Mutation(NamedTuple):
    """What is done at a byte: `removed`, `doubled`, or exclusive or with a number."""

    at: int
    change: int | str

    def of(self, content: bytes) -> bytes:
        """The content with the byte changed."""
        byte = content[self.at : self.at + 1]
        if isinstance(self.change, int):
            byte = bytes([byte[0] ^ self.change])
        else:
            byte = b"" if self.change == "removed" else byte * 2
        return content[: self.at] + byte + content[self.at + 1 :]


class Outcome(NamedTuple):
    """What became of a capture."""

    refused: str | None  # the words of a usage error
    damage: str | None = None
    packets: int = 0
    verdicts: tuple[tuple[int, int], ...] = ()
    rows: tuple[Row, ...] = ()


def small_captures() -> list[Path]:
    """The captures of this project that have at most SMALL bytes."""
    endings = (".pcap", ".pcapng", ".snoop", ".gz")
    paths = (path for path in HOME.iterdir() if path.suffix in endings)
    return sorted(path for path in paths if path.stat().st_size <= SMALL)


def outcome(content: bytes) -> Outcome:
    """Everything from the first byte to every probe fired; only a UsageError may be raised."""
    try:
        source = SavefileSource(Pieces(content), "input", capacity=CAPACITY, batch_size=PACKETS)
    except UsageError as error:
        return Outcome(str(error))
    tracker = Tracker(PROBES, registered_ports(), Window((), waits=False), CONNECTIONS)
    intake, dissector = Intake(source), Dissector(PACKETS)
    rows: list[Row] = []
    try:
        while not intake.ended:
            batch = intake.step(dissector, 0.0)
            if batch is not None:
                for probes in tracker.feed(batch.segments, 0.0):
                    rows += probes.rows.tolist()
    except UsageError as error:
        return Outcome(str(error))
    for probes in tracker.finish():
        rows += probes.rows.tolist()
    verdicts = tuple(sorted(intake.tally.kinds.items()))
    counted = tuple((verdict, count) for (verdict, _), count in verdicts)
    return Outcome(None, source.damage, intake.tally.packets, counted, tuple(rows))


def spread(count: int) -> Iterator[tuple[Path, Mutation]]:
    """Mutations of every kind, as evenly as `count` of them allow."""
    every = [(path, at) for path in small_captures() for at in range(path.stat().st_size)]
    kinds: tuple[int | str, ...] = (*CHANGES, "removed", "doubled")
    step = max(1, len(every) // count)
    for number, (path, at) in enumerate(every[::step]):
        yield path, Mutation(at, kinds[number % len(kinds)])


if __name__ == "__main__":
    contents = {path: path.read_bytes() for path in small_captures()}
    for path, mutation in spread(int(sys.argv[1])):
        print(path.name, mutation, outcome(mutation.of(contents[path])))  # noqa: T201 - a test reads it
