"""A run whose kernels are looked at: `python -m tests.engine.warmed REPORT FORMAT [FILE]`.

REPORT may have options behind it: `retrans,count_by=flow`.

Live (without FILE) it has the packets of every capture of captures/ for its interface. Prints as
JSON how many kernels were ready after warming up, and those that got another signature later.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from unittest.mock import patch

from tcpsnoop import registry
from tcpsnoop.engine import run as module
from tcpsnoop.engine.opening import open_source
from tcpsnoop.engine.output import Output
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.engine.warming import warm_up
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.memory import MemorySource
from tests.oracle_files import read

CAPTURES = Path(__file__).resolve().parents[2] / "captures"


def signatures() -> dict[str, int]:
    """Kernels of the package by module and name, and how often each is compiled."""
    found = {}
    for name, each in list(sys.modules.items()):
        if name.startswith("tcpsnoop."):
            for value in vars(each).values():
                if hasattr(value, "signatures") and hasattr(value, "py_func"):
                    own = value.py_func
                    found[f"{own.__module__}.{own.__name__}"] = len(value.signatures)
    return found


def every_packet() -> PacketSource:
    """The packets of all pcap files of captures/, as one input."""
    packets = [
        packet
        for path in sorted(CAPTURES.glob("*.pcap"))
        for packet in read(path.read_bytes()).packets
    ]
    return MemorySource(
        [packet.data for packet in packets],
        [packet.time_ns for packet in packets],
        link_types=[packet.link_type for packet in packets],
    )


def main(report: str, form: str, *files: str) -> None:
    """Run, and compare."""
    name, *options = report.split(",")
    chosen = dict(option.split("=") for option in options)
    reporter = registry.load(registry.REPORTERS, name)(**chosen)
    settings = Settings(
        ((name, reporter),),
        registry.load(registry.RENDERERS, form),
        machine=form != "text",
        files=files,
        filter="tcp" if files else "",
        numeric=True,
        time="clock",
    )
    ready: dict[str, int] = {}

    def watched(chosen: Settings) -> None:
        warm_up(chosen)
        ready.update(signatures())

    source = open_source(settings) if files else every_packet()
    output = Output(os.devnull, force=True)
    output.open()
    with patch.object(module, "warm_up", watched):
        status = module.Run(settings, StopRequest(), source, output).execute()
    late = [name for name, count in signatures().items() if count > ready.get(name, 0)]
    told = {"status": status, "ready": sum(map(bool, ready.values())), "late": late}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
