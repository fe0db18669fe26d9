"""`tcpsnoop list`: what there is to choose from."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from tcpsnoop import registry
from tcpsnoop.cli import list_verdicts
from tcpsnoop.cli.arguments import Parser
from tcpsnoop.cli.telling import tell

SUMMARY = "what there is: reports, probes, interfaces; what captures hold: verdicts"

# Has options of its own, so it comes first among the words.
VERDICTS = "verdicts"


def make_parser() -> argparse.ArgumentParser:
    """The arguments of the subcommand."""
    parser = Parser(prog="tcpsnoop list", description=f"List {SUMMARY}.")
    parser.add_argument(
        "what",
        choices=sorted([*_LISTS, VERDICTS]),
        help="what to list; of verdicts, tcpsnoop list verdicts --help tells more",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="probes: their fields too")
    return parser


def run(words: list[str], write: Callable[[str], None]) -> int:
    """Print the list that `words` ask for; the exit status."""
    if words[:1] == [VERDICTS]:
        return list_verdicts.run(words[1:], tell)
    parser = make_parser()
    arguments = parser.parse_args(words)
    if arguments.what == VERDICTS:
        parser.error(f"{VERDICTS} comes first, its options after it")
    for line in _LISTS[arguments.what](arguments.verbose):
        write(line)
    return 0


def _reports(verbose: bool) -> Iterator[str]:
    for name in registry.names(registry.REPORTERS):
        yield f"{name:<16} {registry.summary(registry.REPORTERS, name)}".rstrip()


def _probes(verbose: bool) -> Iterator[str]:
    from tcpsnoop.engine.catalogue import COMMON_FIELDS, PROBES

    for probe in PROBES.values():
        yield f"{probe.name:<20} {probe.fires}"
        if verbose:
            for field in probe.fields:
                yield f"    {field.name:<18} {field.type:<12} {field.meaning}"
    if verbose:
        yield ""
        yield "every probe"
        for field in COMMON_FIELDS:
            yield f"    {field.name:<18} {field.type:<12} {field.meaning}"


def _interfaces(verbose: bool) -> Iterator[str]:
    from tcpsnoop.engine.catalogue import interfaces

    yield from interfaces()


_LISTS: dict[str, Callable[[bool], Iterator[str]]] = {
    "reports": _reports,
    "probes": _probes,
    "interfaces": _interfaces,
}
