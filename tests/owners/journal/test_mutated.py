"""Journals with a byte or a line changed: read up to the damage, or telling something else."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Iterator
from functools import cache
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from captures.make.catalogue import HOME
from tcpsnoop.batches.owners import QUALITIES
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBES
from tcpsnoop.engine.intake import Intake
from tcpsnoop.errors import UsageError
from tcpsnoop.names.services import registered_ports
from tcpsnoop.owners.journal.replayed import Replayed
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker
from tcpsnoop.sources.savefile import open_savefile
from tests.mutations import Mutation
from tests.owners.journal.journals import reader_of

JOURNAL = (HOME / "processes.owners").read_bytes()
# What stands in a line in place of something else.
ODD: tuple[object, ...] = (None, -1, 0, 1 << 31, 1 << 63, 1.5, "", "x", "::", [], {}, [[]], True)


@cache
def probes() -> NDArray[np.void]:
    """Rows of every probe that the capture fires."""
    source = open_savefile(str(HOME / "processes.pcap"))
    tracker = Tracker(PROBES, registered_ports(), Window((), waits=False), 64)
    intake = Intake(source, options=True, quotes=True)
    dissector = intake.make_dissector()
    rows = []
    while not intake.ended:
        batch = intake.step(dissector, 0.0)
        if batch is not None:
            rows += [each.rows.copy() for each in tracker.feed(batch.segments, 0.0)]
    rows += [each.rows.copy() for each in tracker.finish()]
    return np.concatenate(rows)


def replay(content: bytes) -> tuple[list[str], str | None]:
    """The owners of all rows, as far as they are known, and the damage; UsageError: refused."""
    replayed = Replayed(reader_of(content), 0.05)
    batch = ProbeBatch(probes())
    replayed.see(batch)
    replayed.finish()
    owned = replayed.label(batch)
    owners = [owned.pool[code] for code in owned.indices(len(batch)).tolist()]
    assert all(each.quality in QUALITIES for each in owners)
    replayed.follows(batch.rows)
    replayed.take_writes(1 << 62, last=True)
    assert all("\n" not in line for line in replayed.summary())
    named = [f"{each.quality} {[one.pid for one in each.processes]}" for each in owners]
    return named, replayed.damage


def is_harmless(number: int, content: bytes) -> bool:
    """Whether a journal is refused or replayed, in whatever words."""
    if number % 20 == 0:
        # The arrays of those before: large, but few, so Python would not look for them for long.
        gc.collect()
    try:
        _, damage = replay(content)
    except UsageError as error:
        return "\n" not in str(error)
    return damage is None or damage.startswith("j ")


def of_bytes(count: int, seed: int) -> Iterator[bytes]:
    """Journals with one byte changed, removed or doubled."""
    chance = random.Random(seed)
    changes: list[int | str] = [0x01, 0x04, 0x10, 0x80, "removed", "doubled"]
    for _ in range(count):
        change = chance.choice(changes)
        yield Mutation(chance.randrange(len(JOURNAL)), change).of(JOURNAL)


def of_lines(count: int, seed: int) -> Iterator[bytes]:
    """Journals with a line left out, doubled, moved, or with something else somewhere in it."""
    chance = random.Random(seed)
    for _ in range(count):
        lines = JOURNAL.splitlines(keepends=True)
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines.insert(chance.randrange(len(lines)), lines.pop(at))
            case _:
                told = json.loads(lines[at])
                replaced(told, chance)
                lines[at] = json.dumps(told).encode() + b"\n"
        yield b"".join(lines)


def replaced(told: object, chance: random.Random) -> None:
    """Put something else in the place of something within an object or a list."""
    while isinstance(told, dict | list) and told:
        places = list(told) if isinstance(told, dict) else range(len(told))
        place = chance.choice(places)
        inner = told[place]
        if not isinstance(inner, dict | list) or chance.random() < 0.2:
            told[place] = chance.choice(ODD)
            return
        told = inner


def test_as_it_is_it_tells_all() -> None:
    named, damage = replay(JOURNAL)
    assert damage is None
    assert {"exact [812]", "exact [2990]", "exact [4107]", "holder [1120]"} <= set(named)
    assert {"shared [1600, 1601]", "kernel []"} <= set(named)


@pytest.mark.parametrize("made", [of_bytes, of_lines])
def test_changed_somewhere(made: type) -> None:
    assert all(map(is_harmless, count(), made(60, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("made", [of_bytes, of_lines])
def test_changed_anywhere(made: type) -> None:
    assert all(map(is_harmless, count(), made(1000, 2)))


@pytest.mark.slow
def test_cut_off_after_each_line_nobody_is_named_who_is_not_right() -> None:
    """What is told less is known less, never something else."""
    whole, _ = replay(JOURNAL)
    lines = JOURNAL.splitlines(keepends=True)
    for kept in range(1, len(lines)):
        named, damage = replay(b"".join(lines[:kept]))
        assert damage is not None
        for now, right in zip(named, whole, strict=True):
            assert now == right or now.endswith("[]") or now.startswith("listener"), kept
