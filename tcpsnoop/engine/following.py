"""A command that is run, so that what it does is reported until it ends."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence

from tcpsnoop.errors import CaptureError, UsageError

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def check_command(words: Sequence[str]) -> None:
    """UsageError when the command cannot be run."""
    if words and shutil.which(words[0]) is None:
        raise UsageError(f"-- {words[0]}: there is no such command")


class FollowedCommand:
    """A running command. Processes that it leaves behind become ours: they stay its."""

    def __init__(self, words: Sequence[str]) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            self._process = subprocess.Popen(list(words))
        except OSError as error:
            raise CaptureError(f"-- {words[0]}: {error.strerror}") from error

    @property
    def ended(self) -> bool:
        """Whether it has ended; what it left behind may go on."""
        return self._process.poll() is not None
