"""The program `tcpsnoop`, and `python -m tcpsnoop`."""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType
from typing import NoReturn


def program() -> NoReturn:
    """Run tcpsnoop and leave the process.

    At once: what is to be written has been, and to take down the interpreter and the compiler in
    order costs 0.2 s, which is most of the time that Ctrl-C may take.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until there is something to report on, they just end it: imports take a moment.
        signal.signal(number, _leave)
    # What is imported stays: to look through it for garbage time and again, as Python does after
    # every 700 objects, is a tenth of a start.
    gc.set_threshold(100_000)
    from tcpsnoop.cli.main import main

    status = main()
    os._exit(status)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(0)


if __name__ == "__main__":
    program()
