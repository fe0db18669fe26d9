"""What the user chose, made once by the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tcpsnoop.interfaces.renderer import Renderer, RenderOptions
from tcpsnoop.interfaces.reporter import Reporter

DEFAULT_SNAPLEN = 262144
DEFAULT_BUFFER_KIB = 16384
DEFAULT_MAX_CONNECTIONS = 1 << 20
DEFAULT_HOLD_SECONDS = 0.05


@dataclass(frozen=True)
class Settings:
    """One run. Reports come with the names they were asked for by."""

    reports: tuple[tuple[str, Reporter], ...]
    renderer: Callable[[RenderOptions], Renderer]
    machine: bool = False  # the format is for machines: it has leading fields
    files: tuple[str, ...] = ()
    interface: str = "any"  # when there are no files
    filter: str = ""
    numeric: bool = False
    hosts: str | None = None
    resolve: bool = False
    time: str = ""  # first column of a log: "", "relative", "clock"
    count: int | None = None
    duration: float | None = None
    interval: float | None = None
    intervals: int | None = None  # stop after so many
    local: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    commands: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()
    cgroups: tuple[str, ...] = ()
    run: tuple[str, ...] = ()  # a command to run; only what it begins is reported, until it ends
    owners: str | None = None  # a journal of owners, for files
    tracing: bool = True  # the kernel's tracepoints may be read
    tracepoints: str | None = None  # file that `owners --prepare` wrote
    hold: float = DEFAULT_HOLD_SECONDS  # how long packets wait for what the kernel tells of them
    top: int | None = None
    sort: str | None = None
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    output: str | None = None
    force: bool = False
    header: bool = True
    snaplen: int = DEFAULT_SNAPLEN
    buffer_kib: int = DEFAULT_BUFFER_KIB
    promiscuous: bool = True
    user: str | None = None
    note: Callable[[str], None] = field(default=lambda line: None)  # one line for stderr
    # One line that says what is missing from the result; `-q` does not silence it.
    fault: Callable[[str], None] = field(default=lambda line: None)

    @property
    def live(self) -> bool:
        """Packets come from an interface."""
        return not self.files

    @property
    def chooses_processes(self) -> bool:
        """Only what some processes do is reported."""
        return bool(self.pids or self.commands or self.uids or self.cgroups or self.run)

    @property
    def names_processes(self) -> bool:
        """Processes can be known, and something in the output depends on them."""
        if self.files:
            return self.owners is not None
        columns = {column.name for _, own in self.reports for column in own.schema.columns}
        return "pid" in columns or self.chooses_processes

    @property
    def gathers(self) -> bool:
        """Few rows may wait for others: owners, and packets that are shown, do not wait."""
        needs_frames = any(reporter.needs_frames for _, reporter in self.reports)
        return not (self.live or self.names_processes or needs_frames)

    @property
    def leading(self) -> list[str]:
        """The fields that stand before those of a report, of a log alone the last of them."""
        asked = {
            "report": len(self.reports) > 1,
            "interval": self.interval is not None,
            "file": self.several_files,
        }
        return [field for field, applies in asked.items() if applies and self.machine]

    @property
    def several_files(self) -> bool:
        """Rows must say which file they are of."""
        return len(self.files) > 1

    @property
    def capture_seconds(self) -> float | None:
        """Reading: stop after so many seconds of capture time."""
        given = [self.duration] if self.duration is not None else []
        if self.interval is not None and self.intervals is not None:
            given.append(self.interval * self.intervals)
        return min(given, default=None)
