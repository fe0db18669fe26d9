"""Connections that clients opened to here: how many from each host to each local port.

A connection counts at the segment that completes its handshake: the client's first ACK that answers
the SYN|ACK. So refused and half-open connections do not count, nor those whose SYN|ACK was not
captured. The kernel may still drop a connection counted here, when its accept queue is full.
--by-process counts those of each process apart: who took them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tcpsnoop.interfaces.host_counts import HostCounts, host_count_schemas
from tcpsnoop.report import Schema


@dataclass
class Accept(HostCounts):
    """Counts by client and local port."""

    probes: ClassVar[tuple[str, ...]] = ("accept-established",)
    port: ClassVar[str] = "lport"
    schemas: ClassVar[tuple[Schema, Schema]] = host_count_schemas("lport", "client", "accepted")
