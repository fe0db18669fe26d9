"""`tcpsnoop owners`: what the attribution of packets to processes needs and can do here."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tcpsnoop.cli.arguments import Parser, seconds
from tcpsnoop.cli.telling import tell
from tcpsnoop.errors import UsageError

SUMMARY = "whose packets: record the events that tell, prepare the kernel's tracepoints"


def make_parser() -> argparse.ArgumentParser:
    """The arguments of the subcommand."""
    parser = Parser(
        prog="tcpsnoop owners",
        description="Live, packets are attributed to processes by the kernel's tracepoints and by "
        "/proc. --journal writes all that these tell into a file, beside a capture by any program; "
        "`tcpsnoop REPORT -r CAPTURE --owners FILE` then knows the processes. The numbers of "
        "tracepoints are for root alone to read and change with each boot; --prepare leaves them "
        "for everybody who has CAP_NET_RAW and CAP_PERFMON.",
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--prepare", action="store_true", help="write the file of tracepoints")
    asked.add_argument(
        "--journal", metavar="FILE",
        help="write the events of attribution there until Ctrl-C; - is standard output",
    )  # fmt: skip
    parser.add_argument(
        "--tracepoints", metavar="FILE",
        help="--prepare: where to; --journal: what --prepare wrote "
        "(default: /run/tcpsnoop/tracepoints.json)",
    )  # fmt: skip
    journal = parser.add_argument_group("with --journal")
    journal.add_argument("-d", "--duration", type=seconds, metavar="S", help="stop after S seconds")
    journal.add_argument("--force", action="store_true", help="overwrite an existing FILE")
    journal.add_argument(
        "--no-tracing", action="store_true",
        help="look at /proc alone, without the kernel's tracepoints",
    )  # fmt: skip
    journal.add_argument("-q", "--quiet", action="store_true", help="no notes on standard error")
    return parser


def run(words: list[str], write: Callable[[str], None]) -> int:
    """Do what `words` ask for."""
    arguments = make_parser().parse_args(words)
    if arguments.journal is not None:
        return _record(arguments)
    for option in ("duration", "force", "no_tracing", "quiet"):
        if getattr(arguments, option):
            raise UsageError(f"--{option.replace('_', '-')}: it is for --journal")
    from tcpsnoop.engine.preparing import prepare

    write(f"wrote {prepare(arguments.tracepoints)}")
    return 0


def _record(arguments: argparse.Namespace) -> int:
    from importlib.metadata import version

    from tcpsnoop.engine.signals import StopRequest

    with StopRequest() as stop:
        # Kernels are imported here, so this may take a moment; a signal is not lost.
        from tcpsnoop.engine.recording import Recording, record

        chosen = Recording(
            output=None if arguments.journal == "-" else arguments.journal,
            force=arguments.force,
            duration=arguments.duration,
            tracing=not arguments.no_tracing,
            tracepoints=arguments.tracepoints,
            program=f"tcpsnoop {version('tcpsnoop')}",
            note=(lambda line: None) if arguments.quiet else tell,
            fault=tell,
        )
        return record(chosen, stop)
