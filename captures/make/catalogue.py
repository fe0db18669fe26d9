"""Every file that `python -m captures.make` makes, by name."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from captures.make import (
    accepts,
    classic_files,
    cooked,
    duplicates,
    extensions,
    failures,
    faults,
    finger,
    fragments,
    handshakes,
    lengths,
    link_types,
    loss,
    names,
    pcapng_damage,
    pcapng_files,
    processes,
    reuse,
    service,
    snoop_files,
    tunnels,
    verdicts,
    wires,
    writes,
)
from captures.make.capture import Capture

FAMILIES: tuple[ModuleType, ...] = (
    finger,
    accepts,
    handshakes,
    reuse,
    writes,
    loss,
    faults,
    failures,
    service,
    duplicates,
    lengths,
    verdicts,
    fragments,
    extensions,
    link_types,
    cooked,
    wires,
    tunnels,
    classic_files,
    snoop_files,
    pcapng_files,
    pcapng_damage,
    names,
    processes,
)

HOME = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- begin table -->\n", "<!-- end table -->\n"
HEAD = (
    "| file | link type | packets | what it shows | made by `captures/make/` | licence |\n"
    "| --- | --- | ---: | --- | --- | --- |\n"
)


def all_captures() -> dict[str, tuple[str, Capture]]:
    """File name to (name of the generator's file, capture), in the order of the table."""
    made: dict[str, tuple[str, Capture]] = {}
    for family in FAMILIES:
        origin = family.__name__.rpartition(".")[2] + ".py"
        made.update({name: (origin, capture) for name, capture in family.captures().items()})
    return made


def manifest(made: dict[str, tuple[str, Capture]]) -> str:
    """The text of MANIFEST.json: one line a fact, so that a change is read as a change."""
    truths = {name: capture.truth() for name, (_, capture) in made.items()}
    return json.dumps(truths, indent=1) + "\n"


def table(made: dict[str, tuple[str, Capture]]) -> str:
    """The table of README.md."""
    return HEAD + "".join(_row(name, *each) for name, each in made.items())


def with_table(readme: str, made: dict[str, tuple[str, Capture]]) -> str:
    """The README with its table replaced, the rest as it was."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table(made) + END + after


def _row(name: str, origin: str, capture: Capture) -> str:
    link, packets = capture.links() or "–", len(capture.packets) if capture.is_capture else "–"
    shows = capture.shows.replace("|", "\\|")  # SYN|ACK, in a table
    return f"| `{name}` | {link} | {packets} | {shows} | `{origin}` | MIT |\n"
