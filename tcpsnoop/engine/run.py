"""One run from the first packet to the last line: where the stages are joined."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.engine import notes
from tcpsnoop.engine.background import Background
from tcpsnoop.engine.checking import check
from tcpsnoop.engine.crew import Crew, helpers
from tcpsnoop.engine.faults import faults
from tcpsnoop.engine.following import FollowedCommand
from tcpsnoop.engine.frames import Frames
from tcpsnoop.engine.intake import Intake, Intaken
from tcpsnoop.engine.intervals import FileIntervals, LiveIntervals
from tcpsnoop.engine.known_addresses import KnownAddresses
from tcpsnoop.engine.opening import open_source
from tcpsnoop.engine.outlets import MOST_JOBS, Outlets
from tcpsnoop.engine.output import ClosedPipeError, Output
from tcpsnoop.engine.precompiling import await_precompiling, begin_precompiling, tell_of_compiling
from tcpsnoop.engine.privileges import become, unprivileged_user
from tcpsnoop.engine.reader import Reader, make_reader
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.engine.warming import warm_reports, warm_up
from tcpsnoop.engine.watching import with_intervals
from tcpsnoop.errors import CaptureError, UsageError
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.kernel_cache import on_first_compilation
from tcpsnoop.names.hosts import host_tables, read_hosts
from tcpsnoop.names.namer import Namer
from tcpsnoop.names.services import registered_ports
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker

if TYPE_CHECKING:
    from tcpsnoop.engine.attribution import Attribution

NANOSECONDS = 1_000_000_000
# The longest wait for packets: a signal is noticed after so long. The shorter one holds while
# there is something else to do.
PATIENCE = 0.1
SHORT_PATIENCE = 0.05
# At the end of a live capture, what the kernel still holds is waited for so long: twice the age at
# which it hands over a block that is not full. To take it in may be longer, but not forever.
LAST_LOOK = 0.1
LONGEST_LAST_LOOK = 2.0
# A packet is handed over at the latest so long after it was captured, when nothing else waits.
HANDED_OVER_NS = 60_000_000
# Of a file, few rows of probes wait so long for others; live, packets have waited in the kernel.
GATHERING = 0.05

DONE, INCOMPLETE = 0, 1


def run(settings: Settings, stop: StopRequest) -> int:
    """Do what the settings say; the exit status. UsageError: nothing was started."""
    settings = with_intervals(settings)
    check(settings)
    on_first_compilation(partial(tell_of_compiling, settings.note))
    source = open_source(settings)
    attribution = None
    if settings.names_processes:
        # Live it makes a connection to test itself, which is not to be captured; and whoever may
        # not capture need not wait for it.
        if settings.live:
            source.close()
        # Sixty modules, which a report on a file alone does without.
        from tcpsnoop.engine.attribution import open_attribution

        attribution = open_attribution(settings)
        if settings.live:
            source = open_source(settings)
    output = Output(settings.output, force=settings.force)
    try:
        prepared = Run(settings, stop, source, output, attribution)
        output.open()
        return prepared.execute()
    except UsageError:
        output.withdraw()
        raise
    finally:
        source.close()
        if attribution is not None:
            attribution.lookup.close()


class Run:
    """The state of one run."""

    def __init__(
        self,
        settings: Settings,
        stop: StopRequest,
        source: PacketSource,
        output: Output,
        attribution: Attribution | None = None,
    ) -> None:
        self._settings, self._stop = settings, stop
        self._source, self._output = source, output
        reporters = [reporter for _, reporter in settings.reports]
        frames = any(reporter.needs_frames for reporter in reporters)
        self._frames = Frames() if frames else None
        # What comes from a file can be handed from thread to thread: nobody waits for a packet. But
        # the table of owners grows while packets are read, and is read where reports are made.
        self._reads = not settings.live and not frames
        self._crew = Crew(helpers()) if self._reads and helpers() else None
        beside = self._crew if attribution is None else None
        self._passed_on = 0.0
        in_kernel = settings.live
        duration = None if settings.live else settings.capture_seconds
        lookup = None if attribution is None else attribution.lookup
        self._known = KnownAddresses(settings, source, lookup)
        wanted = {probe for reporter in reporters for probe in reporter.probes}
        if attribution is not None:
            # Sockets are looked up at their first segment, whatever the reports attach to.
            wanted |= {"send", "receive"}
        self._tracker = Tracker(
            wanted,
            registered_ports(),
            Window(settings.local, self._known.now(), waits=source.waits),
            settings.max_connections,
            # A row whose packet is shown must be handed on while the packet is there.
            patience=GATHERING if self._reads else 0.0,
            outputs=1 if beside is None else MOST_JOBS + 1,
        )
        self._intake = Intake(
            source,
            "" if in_kernel else settings.filter,
            settings.count,
            None if duration is None else round(duration * NANOSECONDS),
            keep_frames=frames,
            options=self._tracker.needs_options,
            quotes=self._tracker.needs_quotes,
        )
        given = {} if settings.hosts is None else read_hosts(Path(settings.hosts))
        self._namer = Namer(
            numeric=settings.numeric,
            hosts=host_tables(given, source.hosts),
            resolve=settings.resolve or settings.live,
        )
        self._attribution = attribution
        self._outlets = Outlets(settings, output, self._namer.name, beside)
        self._start_ns = time.time_ns()
        self._intervals: FileIntervals | LiveIntervals | None = None
        self._tracked: list[str] | None = None  # notes on tracking, once it is over
        self._background = Background()
        self._followed: FollowedCommand | None = None
        self._reader: Reader | None = None

    def execute(self) -> int:
        """Capture or read, report, tell; the exit status."""
        settings = self._settings
        if begin_precompiling():
            warm_reports(settings)
        try:
            with self._outlets:
                self._prepare()
                with self._crew or nullcontext():
                    self._reader = make_reader(self._intake, self._crew)
                    try:
                        self._loop(self._reader)
                    finally:
                        self._reader.close()
                    self._finish()
            self._output.close()
        except ClosedPipeError:
            return DONE
        except CaptureError as error:
            settings.fault(str(error))
            self._tell()
            return INCOMPLETE
        return self._tell()

    def _prepare(self) -> None:
        """All that must be done before packets are waited for; root is given up last."""
        settings = self._settings
        # Processes are looked up as they come; several files are opened again as their time comes.
        needed = (self._attribution is not None and settings.live) or settings.several_files
        needs_root = needed and settings.user is None
        user = None if needs_root else unprivileged_user(settings.user)
        if settings.live or user is not None:
            warm_up(settings)
        if user is not None:
            become(user)
        if settings.live:
            self._start_ns = time.time_ns()
            self._outlets.begin(self._start_ns)
            settings.note("Tracing... Hit Ctrl-C to end.")
            self._outlets.show()
            if settings.run:
                self._followed = FollowedCommand(settings.run)
        if settings.interval is not None:
            self._intervals = (
                LiveIntervals(
                    settings.interval,
                    self._start_ns,
                    time.monotonic(),
                    settings.intervals,
                    lambda: os.getloadavg()[0],
                )
                if settings.live
                else FileIntervals(settings.interval)
            )

    def _loop(self, reader: Reader) -> None:
        settings = self._settings
        end = None
        if settings.live and settings.duration is not None:
            end = time.monotonic() + settings.duration
        while not self._stop.asked:
            now = time.monotonic()
            if self._is_over(now, end):
                break
            batch = reader.next(self._patience(now, end))
            now = time.monotonic()
            if batch is not None:
                self._take(batch, reader, now)
            elif reader.ended:
                return
            elif self._attribution is not None and settings.live:
                self._attribution.lookup.caught_up(time.time_ns() - HANDED_OVER_NS)
            for probes in self._tracker.tick(now):
                self._emit(probes)
            self._poll(now)
        if settings.live:
            self._last_look(reader)

    def _is_over(self, now: float, end: float | None) -> bool:
        """Whether a live capture has come to an end that was asked for."""
        if self._followed is not None and self._followed.ended:
            return True
        if isinstance(self._intervals, LiveIntervals) and self._intervals.over:
            return True
        return end is not None and now >= end

    def _patience(self, now: float, end: float | None) -> float:
        """How long to wait for packets."""
        busy = self._attribution is not None and self._attribution.busy
        until = [now + (SHORT_PATIENCE if busy else PATIENCE)]
        if end is not None:
            until.append(end)
        if isinstance(self._intervals, LiveIntervals):
            until.append(self._intervals.ends)
        return max(0.0, min(until) - now)

    def _take(self, batch: Intaken, reader: Reader, now: float) -> None:
        if not self._settings.live:
            self._outlets.begin(batch.first_ns)
        if self._frames is not None and batch.packets is not None:
            self._frames.keep(batch.segments, batch.packets, self._source.interfaces)
        self._known.met(self._tracker.window, batch.interfaces)
        await_precompiling()
        for probes in self._tracker.feed(batch.segments, now):
            self._emit(probes)
        if self._frames is not None and self._tracker.window.decided:
            held = None if self._attribution is None else self._attribution.oldest_packet
            self._frames.forget(held)
        reader.done_with(batch)

    def _last_look(self, reader: Reader) -> None:
        """What the kernel had captured by now; on a busy machine that can be much."""
        asked_ns, asked = time.time_ns(), time.monotonic()
        while self._intake.clock.now_ns < asked_ns:
            batch = reader.next(LAST_LOOK)
            if batch is None:
                return
            now = time.monotonic()
            self._take(batch, reader, now)
            if now - asked > LONGEST_LAST_LOOK:
                self._settings.note(notes.UNREAD)
                return

    def _poll(self, now: float) -> None:
        """What is to be done from time to time."""
        if self._attribution is not None:
            self._attribution.lookup.poll()
            for probes in self._attribution.due(now):
                self._observe_parts(probes)
            for calls in self._attribution.calls():
                self._observe(calls)
        self._known.refresh(self._tracker.window, now)
        if now - self._passed_on >= GATHERING:
            self._passed_on = now
            self._outlets.pass_on()
        if isinstance(self._intervals, LiveIntervals):
            for interval in self._intervals.ended(now):
                self._label_the_rest()
                for job in self._outlets.closing(interval):
                    self._background.do(job)
            self._background.check()
        if self._outlets.asked_to_end():
            self._stop.asked = True

    def _emit(self, probes: ProbeBatch) -> None:
        if self._attribution is None:
            self._observe_parts(probes)
            return
        for labelled in self._attribution.take(probes, time.monotonic()):
            self._observe_parts(labelled)

    def _label_the_rest(self) -> None:
        """What is held is waited for."""
        if self._attribution is not None:
            for probes in self._attribution.rest():
                self._observe_parts(probes)
            for calls in self._attribution.rest_of_calls():
                self._observe(calls)

    def _observe_parts(self, probes: ProbeBatch) -> None:
        for part in self._cut(probes):
            self._observe(part)

    def _observe(self, probes: ProbeBatch) -> None:
        self._outlets.observe(probes, self._source.interfaces, self._frames)

    def _cut(self, probes: ProbeBatch) -> Iterator[ProbeBatch]:
        """Parts of one interval; reports are printed between them."""
        if not isinstance(self._intervals, FileIntervals):
            yield probes
            return
        for ended, part in self._intervals.cut(probes, self._intake.clock.first_ns or 0):
            if ended is not None:
                if self._attribution is not None:
                    for calls in self._attribution.calls(self._intervals.ended_ns):
                        self._observe(calls)
                self._outlets.report(ended, skip_empty=True)
            yield part

    def _finish(self) -> None:
        """The rest of the probes, the last reports, and those that waited for their turn."""
        for probes in self._tracker.finish():
            self._emit(probes)
        self._label_the_rest()
        self._outlets.catch_up()
        self._end_tracking()
        self._outlets.begin(self._start_ns if self._settings.live else None)
        interval = None
        reading = isinstance(self._intervals, FileIntervals)
        if isinstance(self._intervals, FileIntervals):
            interval = self._intervals.last(self._intake.clock.now_ns)
        elif self._intervals is not None:
            interval = self._intervals.last()
        self._background.finish()
        if interval is not None or self._intervals is None or reading:
            self._outlets.report(interval, skip_empty=reading and interval is not None)
        self._outlets.catch_up()
        self._outlets.finish()

    def _end_tracking(self) -> None:
        """Keep what is told of it, and give the memory back before reports need theirs."""
        tracker = self._tracker
        clipped = 0 if self._reader is None else self._reader.clipped
        self._tracked = [
            *notes.sides_note(tracker.rules),
            *notes.tracking_notes(tracker.duplicates, tracker.evicted, clipped),
        ]
        del self._tracker
        self._reader = None

    def _tell(self) -> int:
        """The notes at the end; the exit status that the input deserves."""
        settings, tally, source = self._settings, self._intake.tally, self._source
        if self._tracked is None:
            self._end_tracking()
        lines = [
            *notes.packets_note(tally, filtered=bool(settings.filter)),
            *notes.drops_note(source.drops()),
            *(self._tracked or ()),
            *source.anomalies,
            *self._outlets.notes,
            *self._namer.notes(),
        ]
        if self._attribution is not None:
            lines += self._attribution.lookup.summary()
            self._attribution.lookup.close()
        for line in lines:
            settings.note(line)
        interrupted = self._stop.asked and not settings.live
        missing = list(faults(tally, source, interrupted=interrupted))
        if self._attribution is not None and self._attribution.lookup.damage is not None:
            missing.append(self._attribution.lookup.damage)
        for fault in missing:
            settings.fault(fault)
        return INCOMPLETE if missing else DONE
