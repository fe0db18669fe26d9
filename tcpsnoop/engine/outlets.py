"""All reports of a run: made from one reading, written one after the other, or shown in place.

With a crew each is made by whoever has time, batch after batch, and others may be further on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import methodcaller
from types import TracebackType

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.engine.crew import Crew, Lane
from tcpsnoop.engine.frames import Frames
from tcpsnoop.engine.outlet import Outlet
from tcpsnoop.engine.output import Output, Sink, Spool
from tcpsnoop.engine.screen import Screen
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.watching import wants_screen
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import LogReporter
from tcpsnoop.report import Interval, Report

# Jobs that a report may have before it. Most take a millisecond, and now and then one takes ten, to
# sort what is recent: with fewer, all threads would wait for that one.
MOST_JOBS = 5


class Outlets:
    """The outlets, and where they write. While it is entered, a screen may be open."""

    def __init__(
        self,
        settings: Settings,
        output: Output,
        name_columns: Callable[[Report], Report],
        crew: Crew | None = None,
    ) -> None:
        self._settings, self._output, self._crew = settings, output, crew
        self._screen = Screen(output) if wants_screen(settings) else None
        self._spools: list[Spool] = []
        self._begun = False
        self._all: list[Outlet] = []
        for name, reporter in settings.reports:
            sink: Sink = self._screen or output
            if self._all:
                # One report after the other, from one reading.
                self._spools.append(Spool())
                sink = self._spools[-1]
            log = isinstance(reporter, LogReporter)
            leading = [field for field in settings.leading if field != "file" or log]
            self._all.append(
                Outlet(
                    name,
                    reporter,
                    sink,
                    name_columns,
                    leading=leading,
                    files=settings.files,
                    top=settings.top,
                    sort=settings.sort,
                    gathers=settings.gathers,
                )
            )

        self._lanes = [Lane() for _ in self._all]
        if crew is not None:
            for lane in self._lanes:
                crew.take_on(lane)

    def __enter__(self) -> Outlets:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._screen is not None:
            self._screen.close()

    @property
    def notes(self) -> Iterator[str]:
        """What the reports remark."""
        return (note for outlet in self._all for note in outlet.notes)

    def begin(self, start_ns: int | None) -> None:
        """Write what stands before the first row, once; relative times count from `start_ns`."""
        if self._begun:
            return
        self._begun = True
        settings = self._settings
        for outlet in self._all:
            outlet.begin(settings.renderer(RenderOptions(settings.header, settings.time, start_ns)))

    def show(self) -> None:
        """Open the screen, if there is one."""
        if self._screen is not None:
            seconds = self._settings.interval
            self._screen.open(f"Tracing... The first rows come after {seconds:g} s. q ends it.")

    def asked_to_end(self) -> bool:
        """Whether somebody at the screen has had enough; call it often."""
        return self._screen is not None and self._screen.asked_to_end()

    def observe(
        self, probes: ProbeBatch, interfaces: Sequence[CaptureInterface], frames: Frames | None
    ) -> None:
        """Give every reporter its probes; with a crew, MOST_JOBS batches are in use at a time."""
        self._do(methodcaller("observe", probes, interfaces, frames))

    def pass_on(self) -> None:
        """Give reporters what waited for more."""
        self._do(methodcaller("pass_on"))

    def closing(self, interval: Interval) -> Iterator[Callable[[], None]]:
        """All begin anew; each job writes a report, and may be done by another thread."""
        for outlet in self._all:
            yield outlet.closing(interval)

    def report(self, interval: Interval | None, *, skip_empty: bool = False) -> None:
        """Write what the reporters have observed; they begin anew."""
        self._do(methodcaller("report", interval, skip_empty=skip_empty))

    def catch_up(self) -> None:
        """Wait until all is done that reporters were asked for."""
        if self._crew is not None:
            self._crew.wait(lambda: not any(map(len, self._lanes)))

    def _do(self, job: Callable[[Outlet], None]) -> None:
        """Do it for every outlet, behind what each was asked for before."""
        if self._crew is None:
            for outlet in self._all:
                job(outlet)
            return
        self._crew.wait(lambda: all(len(lane) < MOST_JOBS for lane in self._lanes))
        for lane, outlet in zip(self._lanes, self._all, strict=True):
            lane.add(partial(job, outlet))
        self._crew.tell()

    def finish(self) -> None:
        """Write what waited for its turn."""
        for spool in self._spools:
            if not self._settings.machine:
                self._output.write([b"\n"])
            spool.pour(self._output)
