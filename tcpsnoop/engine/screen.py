"""A terminal that shows the latest report in place, and what is typed there meanwhile."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from tcpsnoop.engine.keys import Keys
from tcpsnoop.engine.output import ClosedPipeError, Sink

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_QUIT = (b"q", b"Q")
_SUSPEND = b"\x1a"  # Ctrl-Z


class Screen:
    """A sink whose every write is a whole report, which takes the place of the one before.

    While it is open the terminal belongs to it. What it showed last is written to `after` when it
    is closed, as far as it fitted. Any thread may write.
    """

    def __init__(self, after: Sink, descriptor: int = 1, keys: Keys | None = None) -> None:
        self._after, self._descriptor = after, descriptor
        self._keys = keys or Keys()
        self._lock = threading.RLock()
        self._frame = Frame(())
        self._reported = False  # the frame is a report
        self._size = (0, 0)
        self._live: Any = None
        # Who has given up root can perhaps import nothing any more.
        with _live_on(io.StringIO()) as nowhere:
            nowhere.update(self._frame, refresh=True)

    def open(self, message: str) -> None:
        """Take the terminal; `message` stands there until the first report."""
        file = open(  # noqa: SIM115  (rich keeps it)
            self._descriptor, "w", encoding="utf-8", errors="replace", closefd=False
        )
        self._live = _live_on(file)
        self._frame = Frame([message])
        with self._writing():
            self._start()

    def write(self, pieces: Iterable[bytes]) -> None:
        """Show a report."""
        lines = b"".join(pieces).decode().strip("\n").split("\n")
        with self._writing():
            self._frame, self._reported = Frame(lines), True
            if self._live.is_started:
                self._show()

    def asked_to_end(self) -> bool:
        """Whether q was pressed. Sees to other keys and to the terminal's size; call it often."""
        keys = self._keys.pressed()
        if _SUSPEND in keys:
            self._suspend()
        with self._writing():
            if self._live.is_started and self._terminal_size() != self._size:
                self._show()
        return any(key in keys for key in _QUIT)

    def close(self) -> None:
        """Give the terminal back; may be called twice."""
        with self._lock:
            if self._live is None or not self._live.is_started:
                return
            with contextlib.suppress(OSError):  # a terminal that has gone needs nothing
                self._stop()
            shown = self._frame.fitting(self._size[1])
        if self._reported:
            self._after.write(f"{line}\n".encode() for line in shown)

    def _start(self) -> None:
        self._keys.open()
        self._size = self._live.console.size = self._terminal_size()
        self._live.update(self._frame)
        self._live.start(refresh=True)

    def _stop(self) -> None:
        try:
            self._live.stop()
        finally:
            self._keys.close()

    def _show(self) -> None:
        self._size = self._live.console.size = self._terminal_size()
        self._live.update(self._frame, refresh=True)

    def _suspend(self) -> None:
        """Stop as Ctrl-Z would, the terminal in order meanwhile."""
        with self._writing():
            self._stop()
            os.kill(os.getpid(), signal.SIGSTOP)
            self._start()

    def _terminal_size(self) -> tuple[int, int]:
        columns, lines = os.get_terminal_size(self._descriptor)
        return max(1, columns), max(1, lines)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except OSError:
            raise ClosedPipeError from None  # the terminal has gone


def _live_on(file: IO[str]) -> Any:
    """What draws on a terminal: rich, which takes a moment to import."""
    from rich.console import Console
    from rich.live import Live

    console = Console(file=file, force_terminal=True, color_system=None, legacy_windows=False)
    return Live(
        console=console,
        screen=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )


@dataclass(frozen=True)
class Frame:
    """Lines as far as they fit, for rich."""

    lines: Sequence[str]

    def fitting(self, height: int) -> Sequence[str]:
        """The first lines; the last says how many others there are."""
        missing = len(self.lines) - height
        if missing <= 0:
            return self.lines
        return [*self.lines[: height - 1], f"... {missing + 1} more lines"]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The text as it is: no markup; the console crops what is wider than it."""
        from rich.text import Text

        lines = self.fitting(options.max_height)
        yield Text("\n".join(lines), no_wrap=True, overflow="crop", end="")
