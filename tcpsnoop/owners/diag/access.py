"""What of sock_diag may be used here, and why no more of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tcpsnoop.owners.diag.asking import Diag, DiagUnavailableError, in_namespace
from tcpsnoop.owners.diag.endings import Endings
from tcpsnoop.owners.diag.messages import Ending


class Hearing(Protocol):
    """What tells of sockets that have ended."""

    def take(self) -> tuple[list[Ending], bool]:
        """The sockets that have ended since the last call, and whether others were lost."""

    def close(self) -> None:
        """Listen no more until `take` is called again; may be called twice."""


@dataclass
class Access:
    """Ways to ask: our network namespace, another one (Namespaces), and what is heard of ours."""

    diag: Diag | None = None
    enter: Callable[[str, int], Diag] | None = None
    endings: Hearing | None = None
    why_not: str = ""

    @property
    def failure(self) -> str:
        """Why sockets are not asked for by sock_diag, or not any more."""
        return self.why_not or ("" if self.diag is None else self.diag.failure)

    def close(self) -> None:
        """Ask nothing any more; may be called twice."""
        if self.diag is not None:
            self.diag.close()
        if self.endings is not None:
            self.endings.close()


def open_access() -> Access:
    """All that is permitted; never raises."""
    try:
        diag = Diag()
    except DiagUnavailableError as error:
        return Access(why_not=str(error))
    endings: Hearing | None
    try:
        endings = Endings()
    except OSError:
        endings = None
    return Access(diag, in_namespace if os.geteuid() == 0 else None, endings)
