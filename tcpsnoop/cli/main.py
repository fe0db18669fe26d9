"""The command line: words to settings, errors to exit codes.

Nothing heavy is imported before a report has been chosen and its options are right.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from tcpsnoop import registry
from tcpsnoop.cli.arguments import Parser, add_common_options
from tcpsnoop.cli.reporter_options import add_reporter_options, make_reporter
from tcpsnoop.cli.telling import tell
from tcpsnoop.errors import TcpsnoopError, UsageError

if TYPE_CHECKING:
    from tcpsnoop.interfaces.reporter import Reporter

    Reports = tuple[tuple[str, Reporter], ...]
    from tcpsnoop.engine.settings import Settings

INTERNAL_ERROR = 1

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"

# Subcommands that are no reports: module of cli.commands, and its line in the help.
COMMANDS = {
    "list": "what there is: reports, probes, interfaces; verdicts of captures",
    "owners": "whose packets: record the events that tell, prepare the kernel's tracepoints",
}

_USAGE = """\
tcpsnoop REPORT[,REPORT...] [-r FILE]... [-i INTERFACE] [options] [FILTER...] [-- CMD ARG...]"""

_EXAMPLES = """\
examples:
  tcpsnoop io -r FILE tcp port 80        every segment of a capture, one line each
  tcpsnoop accept                        live, all interfaces: who connects to whom here
  tcpsnoop wdist -i eth0 -d 10           sizes of writes, by process, for ten seconds
  tcpsnoop connect -r FILE --format csv  for machines
  tcpsnoop io -- curl example.org        what a command and its children do, until it ends

`tcpsnoop REPORT --help` adds a report's own options. A FILTER is a libpcap filter (pcap-filter(7)),
on the outermost frame, the same live and in files."""


def main(words: Sequence[str] | None = None) -> int:
    """Run tcpsnoop; the exit status (DESIGN 4)."""
    try:
        return _dispatch(list(sys.argv[1:] if words is None else words))
    except TcpsnoopError as error:
        tell(f"tcpsnoop: {error}")
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has gone: no error. Nothing may be flushed there at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        # An error of ours. No traceback reaches a user who did not ask for it.
        if os.environ.get("TCPSNOOP_DEBUG"):
            raise
        tell(f"tcpsnoop: internal error, please report it: {type(error).__name__}: {error}")
        tell("tcpsnoop: TCPSNOOP_DEBUG=1 shows where it happened")
        return INTERNAL_ERROR


def _dispatch(words: list[str]) -> int:
    if not words:
        raise UsageError("what shall be reported? tcpsnoop --help lists the reports")
    if words[0] in ("-h", "--help", "help"):
        _print(_help())
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        _print(f"tcpsnoop {version('tcpsnoop')}")
        return 0
    if words[0] in COMMANDS:
        command = import_module(f"tcpsnoop.cli.commands.{words[0]}")
        return int(command.run(words[1:], _print))
    if words[0].startswith("-"):
        raise UsageError(f"the report comes first, then {words[0]}: {_USAGE}")
    return _report(words[0].split(","), words[1:])


def _report(names: list[str], words: list[str]) -> int:
    for name in names:
        _check_name(name)
    command: list[str] = []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1 :]
        if not command:
            raise UsageError("-- CMD: which command shall be run?")
    parser = Parser(
        prog=f"tcpsnoop {','.join(names)}",
        usage=_USAGE.replace("REPORT[,REPORT...]", ",".join(names)),
        add_help=True,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_options(parser, registry.names(registry.RENDERERS))
    _load_numpy()
    reporters = [registry.load(registry.REPORTERS, name) for name in names]
    if len(names) == 1:
        add_reporter_options(parser, names[0], reporters[0])
        module = sys.modules[reporters[0].__module__]
        parser.description = module.__doc__
    arguments, filter_words = parser.parse_known_args(words)
    for word in filter_words:
        if word.startswith("-") and len(word) > 1:
            only = " (with several reports only the common options are there)"
            parser.error(f"there is no option {word}{only if len(names) > 1 else ''}")
    made = tuple(
        (name, make_reporter(reporter, arguments))
        for name, reporter in zip(names, reporters, strict=True)
    )
    arguments.run = command
    return _run(_settings(arguments, " ".join(filter_words), made))


def _load_numpy() -> None:
    """Import NumPy without the threads of its linear algebra, which nothing here calls.

    OpenBLAS starts one for each further processor as it is loaded, and each spins for some tenths
    of a second. A command that is run gets the environment as the user left it.
    """
    if "numpy" in sys.modules or _BLAS_THREADS in os.environ:
        return
    os.environ[_BLAS_THREADS] = "1"
    import_module("numpy")
    del os.environ[_BLAS_THREADS]


def _check_name(name: str) -> None:
    known = registry.names(registry.REPORTERS)
    if name in known:
        return
    close = difflib.get_close_matches(name, [*known, *COMMANDS], 1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    raise UsageError(f"there is no report {name!r}: {hint}")


def _settings(arguments: argparse.Namespace, expression: str, reports: Reports) -> Settings:
    from tcpsnoop.engine import settings as engine

    if arguments.read and arguments.interface:
        raise UsageError("-r and -i: packets come from files or from an interface, not from both")
    if arguments.format == "csv" and len(reports) > 1:
        raise UsageError("--format csv: several reports have no common columns; take jsonl")
    note = _ignore if arguments.quiet else tell
    return engine.Settings(
        reports=reports,
        renderer=registry.load(registry.RENDERERS, arguments.format),
        machine=arguments.format != "text",
        files=tuple(arguments.read),
        interface=arguments.interface or "any",
        filter=expression,
        numeric=arguments.numeric,
        hosts=arguments.hosts,
        resolve=arguments.resolve,
        time=arguments.time,
        count=arguments.count,
        duration=arguments.duration,
        interval=arguments.interval,
        intervals=arguments.intervals,
        local=tuple(arguments.local),
        pids=tuple(arguments.pid),
        commands=tuple(arguments.command),
        uids=tuple(arguments.uid),
        cgroups=tuple(arguments.cgroup),
        run=tuple(arguments.run),
        owners=arguments.owners,
        tracing=not arguments.no_tracing,
        tracepoints=arguments.tracepoints,
        hold=engine.DEFAULT_HOLD_SECONDS if arguments.hold is None else arguments.hold / 1000,
        top=arguments.top,
        sort=arguments.sort,
        max_connections=arguments.max_connections or engine.DEFAULT_MAX_CONNECTIONS,
        output=arguments.output,
        force=arguments.force,
        header=not arguments.no_header,
        snaplen=arguments.snaplen or engine.DEFAULT_SNAPLEN,
        buffer_kib=arguments.buffer_size or engine.DEFAULT_BUFFER_KIB,
        promiscuous=not arguments.no_promiscuous,
        user=arguments.user,
        note=note,
        fault=tell,
    )


def _run(settings: Settings) -> int:
    from tcpsnoop.engine.signals import StopRequest

    with StopRequest() as stop:
        # The kernels are imported here, so this may take a moment; a signal is not lost.
        from tcpsnoop.engine.run import run

        return run(settings, stop)


def _help() -> str:
    lines = [
        f"usage: {_USAGE}",
        "       tcpsnoop list {reports,probes,interfaces,verdicts}",
        "",
        "TCP analysis of live interfaces and capture files: the DTrace tcp provider, rebuilt from",
        "packets. Every report runs the same live and on a file, on IPv4 and IPv6.",
        "",
        "reports:",
    ]
    for name in registry.names(registry.REPORTERS):
        lines.append(f"  {name:<14} {registry.summary(registry.REPORTERS, name)}".rstrip())
    lines += ["", "commands:", *(f"  {name:<14} {text}" for name, text in COMMANDS.items()), ""]
    parser = Parser(prog="tcpsnoop", add_help=False, usage=argparse.SUPPRESS)
    add_common_options(parser, registry.names(registry.RENDERERS))
    return "\n".join(lines) + "\n" + parser.format_help().strip("\n") + "\n\n" + _EXAMPLES


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _ignore(line: str) -> None:
    pass
