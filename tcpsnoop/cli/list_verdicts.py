"""`tcpsnoop list verdicts`: its options, and what is made of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tcpsnoop import registry
from tcpsnoop.cli.arguments import Parser, positive, seconds
from tcpsnoop.errors import UsageError

_USAGE = "tcpsnoop list verdicts -r FILE [-r FILE]... [options] [FILTER...]"
_DESCRIPTION = """\
What became of every packet of captures: how many are TCP segments, and why the others are none, by
verdict and link type. With a filter, of the packets that pass it."""


def make_parser() -> argparse.ArgumentParser:
    """The arguments after `list verdicts`; they mean what they mean in a report."""
    parser = Parser(prog="tcpsnoop list verdicts", usage=_USAGE, description=_DESCRIPTION)
    parser.add_argument(
        "-r", "--read", action="append", metavar="FILE", default=[],
        help="read a capture; several are counted together; - is standard input",
    )  # fmt: skip
    parser.add_argument("-c", "--count", type=positive, metavar="N", help="stop after N packets")
    parser.add_argument(
        "-d", "--duration", type=seconds, metavar="S", help="stop after S seconds of capture time"
    )
    parser.add_argument(
        "--format", choices=registry.names(registry.RENDERERS), default="text",
        help="text (default) or for machines",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="write the table there")
    parser.add_argument("--force", action="store_true", help="overwrite an existing FILE")
    parser.add_argument("--no-header", action="store_true", help="no header line in text and CSV")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes on standard error")
    return parser


def run(words: Sequence[str], note: Callable[[str], None]) -> int:
    """Read and print; the exit status. `note` tells one line on standard error."""
    parser = make_parser()
    arguments, filter_words = parser.parse_known_args(words)
    for word in filter_words:
        if word.startswith("-") and len(word) > 1:
            parser.error(f"there is no option {word}")
    if not arguments.read:
        raise UsageError(f"list verdicts: which capture? {_USAGE}")
    from tcpsnoop.engine.settings import Settings
    from tcpsnoop.engine.signals import StopRequest

    settings = Settings(
        reports=(),
        renderer=registry.load(registry.RENDERERS, arguments.format),
        machine=arguments.format != "text",
        files=tuple(arguments.read),
        filter=" ".join(filter_words),
        count=arguments.count,
        duration=arguments.duration,
        output=arguments.output,
        force=arguments.force,
        header=not arguments.no_header,
        note=_ignore if arguments.quiet else note,
        fault=note,
    )
    with StopRequest() as stop:
        # The kernels are imported here, so this may take a moment; a signal is not lost.
        from tcpsnoop.engine.verdict_table import list_verdicts

        sys.stdout.flush()
        return list_verdicts(settings, stop)


def _ignore(line: str) -> None:
    pass
