"""A terminal for tests: what a program writes there, drawn as a terminal draws it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ALTERNATE, NORMAL = "\x1b[?1049h", "\x1b[?1049l"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """Both ends: `other` is for whoever holds the keyboard, `ours` for the program."""

    other: int
    ours: int
    written: str = ""

    def resize(self, columns: int, lines: int) -> None:
        """As when a window is dragged."""
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.other, keys)

    def read(self, seconds: float = 0.05) -> str:
        """What came by now, as it came."""
        parts = []
        until = time.monotonic() + seconds
        while select.select([self.other], [], [], max(0.0, until - time.monotonic()))[0]:
            try:
                parts.append(os.read(self.other, 1 << 16))
            except OSError:
                break
        text = b"".join(parts).decode()
        self.written += text
        return text

    def is_raw(self) -> bool:
        """Whether keys come without Enter, and are not shown."""
        flags = termios.tcgetattr(self.ours)[3]
        return not flags & (termios.ICANON | termios.ECHO)


def plain(text: str) -> list[str]:
    """The lines of the last frame, without what moves the cursor."""
    last = text.rpartition("\x1b[H")[2]
    return [line.rstrip() for line in _CONTROL.sub("", last).split("\r\n")]


@contextmanager
def terminal(columns: int = 80, lines: int = 24) -> Iterator[Terminal]:
    """A pseudo-terminal of this size."""
    other, ours = pty.openpty()
    made = Terminal(other, ours)
    made.resize(columns, lines)
    try:
        yield made
    finally:
        os.close(other)
        os.close(ours)
