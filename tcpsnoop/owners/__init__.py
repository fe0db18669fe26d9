"""Whose socket is it: one file per method of attribution, and the choice by process."""

from tcpsnoop.owners.journal.reader import open_journal
from tcpsnoop.owners.journal.recorder import Recorder
from tcpsnoop.owners.journal.replayed import HOLD_SECONDS, Replayed
from tcpsnoop.owners.opening import open_lookup
from tcpsnoop.owners.processes import Wanted
from tcpsnoop.owners.procfs import Procfs
from tcpsnoop.owners.selection import Choice, matching

__all__ = [
    "HOLD_SECONDS",
    "Choice",
    "Procfs",
    "Recorder",
    "Replayed",
    "Wanted",
    "matching",
    "open_journal",
    "open_lookup",
]
