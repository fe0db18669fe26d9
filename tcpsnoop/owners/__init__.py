"""Whose socket is it: one file per method of attribution, and the choice by process."""

from tcpsnoop.owners.opening import open_lookup
from tcpsnoop.owners.processes import Wanted
from tcpsnoop.owners.procfs import Procfs
from tcpsnoop.owners.selection import Choice, matching

__all__ = ["Choice", "Procfs", "Wanted", "matching", "open_lookup"]
