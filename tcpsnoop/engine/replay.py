"""One reporter over frames in memory or over a file: for tests of reporters, and for notebooks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tcpsnoop.engine.intake import Intake
from tcpsnoop.engine.outlet import Outlet
from tcpsnoop.engine.output import Sink
from tcpsnoop.engine.precompiling import await_precompiling
from tcpsnoop.engine.settings import DEFAULT_MAX_CONNECTIONS
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import Reporter
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.names.namer import Namer
from tcpsnoop.names.services import registered_ports
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.sources.memory import MemorySource
from tcpsnoop.sources.savefile import open_savefile


def replay(
    reporter: Reporter,
    packets: Sequence[bytes] | str | os.PathLike[str],
    *,
    link_type: int = 1,
    local: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The rows that `reporter` has of these packets, as `--format jsonl -n` would write them.

    `packets` are frames of `link_type`, a millisecond apart, or the path of a capture file; `local`
    as `--local`.
    """
    source: PacketSource
    if isinstance(packets, str | os.PathLike):
        source = open_savefile(os.fspath(packets))
    else:
        source = MemorySource(packets, link_types=link_type)
    sink = _Collected()
    outlet = Outlet("replay", reporter, sink, Namer(True, {}, False).name)
    outlet.begin(Jsonl(RenderOptions()))
    try:
        drain(source, [outlet], local)
    finally:
        source.close()
    return [json.loads(line) for line in b"".join(sink.pieces).splitlines()]


def drain(
    source: PacketSource,
    outlets: Sequence[Outlet],
    local: Sequence[str] = (),
    max_connections: int = DEFAULT_MAX_CONNECTIONS,
) -> None:
    """Everything that `source` has, through every stage, into the outlets."""
    wanted = [probe for outlet in outlets for probe in outlet.probes]
    window = Window(tuple(local), waits=False)
    tracker = Tracker(wanted, registered_ports(), window, max_connections)
    intake = Intake(source, options=tracker.needs_options, quotes=tracker.needs_quotes)
    dissector = intake.make_dissector()
    while not intake.ended:
        batch = intake.step(dissector, 1.0)
        if batch is not None:
            await_precompiling()
            window.know({address for each in source.interfaces for address in each.addresses})
            for probes in tracker.feed(batch.segments, time.monotonic()):
                for outlet in outlets:
                    outlet.observe(probes, source.interfaces, None)
    for probes in tracker.finish():
        for outlet in outlets:
            outlet.observe(probes, source.interfaces, None)
    for outlet in outlets:
        outlet.report()


class _Collected(Sink):
    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, pieces: Iterable[bytes]) -> None:
        self.pieces.extend(pieces)
