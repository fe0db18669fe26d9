"""`tcpsnoop list verdicts`: what became of every packet of captures, as a table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tcpsnoop.batches.packets import SNOOP_DATALINKS
from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.engine.faults import faults
from tcpsnoop.engine.intake import BATCH_PACKETS, Intake
from tcpsnoop.engine.link_names import link_name
from tcpsnoop.engine.notes import packets_note
from tcpsnoop.engine.opening import open_source
from tcpsnoop.engine.output import ClosedPipeError, Output
from tcpsnoop.engine.privileges import become, unprivileged_user
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.engine.tally import Tally
from tcpsnoop.engine.warming import warm_up
from tcpsnoop.errors import CaptureError, UsageError
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.report import Column, Grid, Kind, Report, Schema, Table, Values, text_values

NANOSECONDS = 1_000_000_000
# The longest wait for packets of a pipe: a signal is noticed after so long.
PATIENCE = 0.1

DONE, INCOMPLETE = 0, 1

SCHEMA = Schema(
    (
        Column("verdict", Kind.TEXT, "what became of the packets"),
        Column("link_type", Kind.INTEGER, "LINKTYPE_ number; unknown for a number of snoop's own"),
        Column("link", Kind.TEXT, "name of the link type"),
        Column("packets", Kind.INTEGER, "number of packets"),
        Column("reason", Kind.TEXT, "why they are no segments; unknown for those that are"),
    ),
    Grid(
        ("verdict", "link_type", "link", "packets", "reason"),
        ("VERDICT", "LINKTYPE", "LINK", "PACKETS", "REASON"),
    ),
)


def list_verdicts(settings: Settings, stop: StopRequest) -> int:
    """Read the files and print the table; the exit status. UsageError: nothing was started."""
    source = open_source(settings)
    output = Output(settings.output, force=settings.force)
    try:
        output.open()
        # Several files are opened again as their time comes, which may need root.
        user = None if settings.several_files else unprivileged_user(settings.user)
        if user is not None:
            warm_up(settings)
            _draw_once(settings)
            become(user)
        return _read_and_print(settings, stop, source, output)
    except UsageError:
        output.withdraw()
        raise
    finally:
        source.close()


def _read_and_print(
    settings: Settings, stop: StopRequest, source: PacketSource, output: Output
) -> int:
    duration_ns = None if settings.duration is None else round(settings.duration * NANOSECONDS)
    intake = Intake(source, settings.filter, settings.count, duration_ns)
    dissector = Dissector(BATCH_PACKETS)
    while not intake.ended and not stop.asked:
        intake.step(dissector, PATIENCE)
    renderer = settings.renderer(RenderOptions(settings.header))
    missing = list(faults(intake.tally, source, interrupted=stop.asked))
    try:
        output.write(renderer.report(Report(verdict_table(intake.tally))))
        output.close()
    except ClosedPipeError:
        return DONE
    except CaptureError as error:
        missing.insert(0, str(error))
    for line in _notes(intake.tally, source, filtered=bool(settings.filter)):
        settings.note(line)
    for line in missing:
        settings.fault(line)
    return INCOMPLETE if missing else DONE


def _draw_once(settings: Settings) -> None:
    """Import and compile what drawing the table needs, while that can still be done."""
    tally = Tally()
    tally.kinds[Verdict.NOT_IP, 1] = 1
    renderer = settings.renderer(RenderOptions(settings.header))
    for _ in renderer.report(Report(verdict_table(tally))):
        pass


def _notes(tally: Tally, source: PacketSource, *, filtered: bool) -> Iterator[str]:
    yield from packets_note(tally, filtered=filtered)
    yield from source.anomalies


def verdict_table(tally: Tally) -> Table:
    """A row for each verdict and link type that packets have, in the order of the verdicts."""
    keys = sorted(tally.kinds)
    verdicts = [Verdict(number) for number, _ in keys]
    links = [link for _, link in keys]
    numbers = [-1 if link >= SNOOP_DATALINKS else link for link in links]
    values = {
        "verdict": text_values([verdict.label for verdict in verdicts]),
        "link_type": Values(np.array(numbers, np.int64)),
        "link": text_values([link_name(link) for link in links]),
        "packets": Values(np.array([tally.kinds[key] for key in keys], np.int64)),
        "reason": text_values([verdict.reason for verdict in verdicts]),
    }
    return Table(SCHEMA, values)
