"""`tcpsnoop owners`: what the attribution of packets to processes needs and can do here."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tcpsnoop.cli.arguments import Parser

SUMMARY = "whose packets: prepare the kernel's tracepoints for others than root"


def make_parser() -> argparse.ArgumentParser:
    """The arguments of the subcommand."""
    parser = Parser(
        prog="tcpsnoop owners",
        description="Live, packets are attributed to processes by the kernel's tracepoints. Their "
        "numbers are for root alone to read and change with each boot; --prepare leaves them for "
        "everybody who has CAP_NET_RAW and CAP_PERFMON.",
    )
    parser.add_argument(
        "--prepare", action="store_true", required=True, help="write the file of tracepoints"
    )
    parser.add_argument(
        "--tracepoints", metavar="FILE",
        help="where to (default: /run/tcpsnoop/tracepoints.json)",
    )  # fmt: skip
    return parser


def run(words: list[str], write: Callable[[str], None]) -> int:
    """Do what `words` ask for."""
    arguments = make_parser().parse_args(words)
    from tcpsnoop.engine.preparing import prepare

    write(f"wrote {prepare(arguments.tracepoints)}")
    return 0
