"""Connections that were opened from here: how many to each host and remote port.

A connection counts at the SYN|ACK that answers its SYN (at the end of a simultaneous open), so
refused and unanswered ones do not count, nor those whose beginning was not captured.
--by-process counts those of each process apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tcpsnoop.interfaces.host_counts import HostCounts, host_count_schemas
from tcpsnoop.report import Schema


@dataclass
class Connect(HostCounts):
    """Counts by server and remote port."""

    probes: ClassVar[tuple[str, ...]] = ("connect-established",)
    port: ClassVar[str] = "rport"
    schemas: ClassVar[tuple[Schema, Schema]] = host_count_schemas("rport", "server", "opened")
