"""The options every report has, as one table (DESIGN 4), and what is made of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from tcpsnoop.errors import UsageError

MOST_BYTES = 262_144  # as libpcap
MOST_CONNECTIONS = 1 << 26
MOST_SECONDS = 1e9  # thirty years
MOST_MILLISECONDS = 10_000


class Parser(argparse.ArgumentParser):
    """argparse whose errors are ours: one line, exit status 2."""

    def __init__(self, **settings: object) -> None:
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]  # passed through

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}; see {self.prog} --help")


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number <= 0:
        raise ValueError
    return number


def snap_length(text: str) -> int:
    """Bytes of a packet, 0 for all of them."""
    number = int(text)
    if not 0 <= number <= MOST_BYTES:
        raise ValueError
    return number


def connections(text: str) -> int:
    """Connections that there is memory for."""
    number = int(text)
    if not 0 < number <= MOST_CONNECTIONS:
        raise ValueError
    return number


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    number = float(text)
    if not 0 < number <= MOST_SECONDS:
        raise ValueError
    return number


def user(text: str) -> int:
    """The number of a user."""
    if text.isdecimal():
        return int(text)
    import pwd

    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise ValueError from None


def milliseconds(text: str) -> float:
    """Milliseconds that a packet may wait."""
    number = float(text)
    if not 0 <= number <= MOST_MILLISECONDS:
        raise ValueError
    return number


# What argparse calls the value in "invalid VALUE value: 'x'".
positive.__name__ = "whole number above 0"
snap_length.__name__ = f"number of bytes up to {MOST_BYTES}"
connections.__name__ = f"number from 1 to {MOST_CONNECTIONS}"
seconds.__name__ = "number of seconds"
milliseconds.__name__ = f"number of milliseconds up to {MOST_MILLISECONDS}"


def add_common_options(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """Add every option of the table of DESIGN 4."""
    _add_sources(parser)
    _add_choices(parser)
    _add_processes(parser)
    _add_forms(parser, formats)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    source = parser.add_argument_group("where packets come from")
    source.add_argument(
        "-r", "--read", action="append", metavar="FILE", default=[],
        help="read a capture (pcap, pcapng, snoop, also compressed); several are merged by time; "
        "- is standard input",
    )  # fmt: skip
    source.add_argument(
        "-i", "--interface", metavar="NAME", help="capture live on this interface (default: any)"
    )
    source.add_argument(
        "-s", "--snaplen", type=snap_length, metavar="BYTES",
        help="bytes to capture of each packet (default: 262144)",
    )  # fmt: skip
    source.add_argument(
        "-B", "--buffer-size", type=positive, metavar="KIB", help="capture buffer (default: 16384)"
    )
    source.add_argument(
        "--no-promiscuous", action="store_true", help="capture only what is addressed to the host"
    )
    source.add_argument(
        "-Z", dest="user", metavar="USER", help="the user to become once the capture is open"
    )


def _add_choices(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_argument_group("what is reported")
    chosen.add_argument("-c", "--count", type=positive, metavar="N", help="stop after N packets")
    chosen.add_argument(
        "-d", "--duration", type=seconds, metavar="S",
        help="stop after S seconds (reading: of capture time)",
    )  # fmt: skip
    chosen.add_argument(
        "--interval", type=seconds, metavar="S", help="print and start anew every S seconds"
    )
    chosen.add_argument(
        "--intervals", type=positive, metavar="N", help="stop after N such intervals"
    )
    chosen.add_argument(
        "--local", action="append", metavar="ADDR[/LEN]", default=[],
        help="these addresses are the local side; repeatable",
    )  # fmt: skip
    chosen.add_argument("--top", type=positive, metavar="N", help="only the N largest rows")
    chosen.add_argument("--sort", metavar="FIELD", help="order by this field")
    chosen.add_argument(
        "--max-connections", type=connections, metavar="N",
        help="live connections remembered (default: 1048576)",
    )  # fmt: skip


def _add_processes(parser: argparse.ArgumentParser) -> None:
    processes = parser.add_argument_group("processes, live or with --owners")
    processes.add_argument(
        "--owners", metavar="FILE",
        help="with -r: what `tcpsnoop owners --journal` wrote beside the capture",
    )  # fmt: skip
    processes.add_argument(
        "-p", "--pid", type=positive, action="append", metavar="PID", default=[],
        help="only connections of this process; repeatable",
    )  # fmt: skip
    processes.add_argument(
        "--command", action="append", metavar="NAME", default=[],
        help="only connections of processes of this short name; repeatable",
    )  # fmt: skip
    processes.add_argument(
        "--uid", type=user, action="append", metavar="USER", default=[],
        help="only connections of processes of this user, by name or number; repeatable",
    )  # fmt: skip
    processes.add_argument(
        "--cgroup", action="append", metavar="NAME", default=[],
        help="only connections of processes in this cgroup: a path, a systemd unit, or a "
        "container's id; repeatable",
    )  # fmt: skip
    processes.add_argument(
        "--hold", type=milliseconds, metavar="MS",
        help="let packets wait for what the kernel tells of them after (default: 50)",
    )  # fmt: skip
    processes.add_argument(
        "--no-tracing", action="store_true",
        help="look sockets up as they are now (sock_diag, /proc), without the kernel's tracepoints",
    )  # fmt: skip
    processes.add_argument(
        "--tracepoints", metavar="FILE",
        help="what `tcpsnoop owners --prepare` wrote (default: /run/tcpsnoop/tracepoints.json)",
    )  # fmt: skip


def _add_forms(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    form = parser.add_argument_group("how it is printed")
    form.add_argument("-n", "--numeric", action="store_true", help="no host or service names")
    form.add_argument("--hosts", metavar="FILE", help="a table of hosts, as /etc/hosts")
    form.add_argument("--resolve", action="store_true", help="ask the resolver for files, too")
    times = form.add_mutually_exclusive_group()
    times.add_argument(
        "-t", dest="time", action="store_const", const="relative", default="",
        help="logs: first column is seconds since the first packet",
    )  # fmt: skip
    times.add_argument(
        "-T", dest="time", action="store_const", const="clock", help="logs: local time of day"
    )
    form.add_argument(
        "--format", choices=formats, default="text", help="text (default) or for machines"
    )
    form.add_argument("-o", "--output", metavar="FILE", help="write the report there")
    form.add_argument("--force", action="store_true", help="overwrite an existing FILE")
    form.add_argument("--no-header", action="store_true", help="no header lines in text and CSV")
    form.add_argument("-q", "--quiet", action="store_true", help="no notes on standard error")
