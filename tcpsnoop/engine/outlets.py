"""All reports of a run: made from one reading, written one after the other, or shown in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from tcpsnoop.batches.packets import CaptureInterface
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.engine.frames import Frames
from tcpsnoop.engine.outlet import Outlet
from tcpsnoop.engine.output import Output, Sink, Spool
from tcpsnoop.engine.screen import Screen
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.watching import wants_screen
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import LogReporter
from tcpsnoop.report import Interval, Report


class Outlets:
    """The outlets, and where they write. While it is entered, a screen may be open."""

    def __init__(
        self, settings: Settings, output: Output, name_columns: Callable[[Report], Report]
    ) -> None:
        self._settings, self._output = settings, output
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
        """Give every reporter its probes."""
        for outlet in self._all:
            outlet.observe(probes, interfaces, frames)

    def pass_on(self) -> None:
        """Give reporters what waited for more."""
        for outlet in self._all:
            outlet.pass_on()

    def closing(self, interval: Interval) -> Iterator[Callable[[], None]]:
        """All begin anew; each job writes a report, and may be done by another thread."""
        for outlet in self._all:
            yield outlet.closing(interval)

    def report(self, interval: Interval | None, *, skip_empty: bool = False) -> None:
        """Write what the reporters have observed; they begin anew."""
        for outlet in self._all:
            outlet.report(interval, skip_empty=skip_empty)

    def finish(self) -> None:
        """Write what waited for its turn."""
        for spool in self._spools:
            if not self._settings.machine:
                self._output.write([b"\n"])
            spool.pour(self._output)
