"""Keys of a terminal, as they are pressed."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import tty
from typing import Any


class Keys:
    """Reads the keys of a terminal without waiting for its Enter, and without showing them.

    Ctrl-C stays a signal. Where `descriptor` is no terminal, or not ours, no key is ever pressed.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._before: list[Any] | None = None

    def open(self) -> None:
        """Take the terminal."""
        with contextlib.suppress(OSError, termios.error):
            # Whoever runs in the background would be stopped for it.
            if os.tcgetpgrp(self._descriptor) == os.getpgrp():
                self._before = termios.tcgetattr(self._descriptor)
                tty.setcbreak(self._descriptor, termios.TCSANOW)
                mode = termios.tcgetattr(self._descriptor)
                mode[6][termios.VSUSP] = b"\0"  # Ctrl-Z is a key, too
                termios.tcsetattr(self._descriptor, termios.TCSANOW, mode)

    def pressed(self) -> bytes:
        """The keys since the last time."""
        if self._before is None or not select.select([self._descriptor], [], [], 0)[0]:
            return b""
        with contextlib.suppress(OSError):
            keys = os.read(self._descriptor, 1024)
            if keys:
                return keys
        self.close()  # nobody is there any more
        return b""

    def close(self) -> None:
        """Give the terminal back as it was; may be called twice."""
        if self._before is not None:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)
            self._before = None
