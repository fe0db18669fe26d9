"""Rows about one end of a connection: its columns, and the options that choose ends.

A log of ends is a dataclass that inherits `Ends`, which gives it the options of BCC's tools.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import MAPPED
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.reporter import option
from tcpsnoop.report import Column, Kind, Values

ADDRESSES = (
    Column("laddr", Kind.ADDRESS, "local address"),
    Column("lport", Kind.INTEGER, "local port"),
    Column("raddr", Kind.ADDRESS, "remote address"),
    Column("rport", Kind.INTEGER, "remote port"),
)
ROLES = ("originator", "responder")  # by ORIGINATOR and RESPONDER
ROLE = Column("role", Kind.TEXT, f"what the local end was: {' or '.join(ROLES)}")

_HIGHEST_PORT = 65535


def end_values(batch: ProbeBatch) -> dict[str, Values]:
    """The values of ADDRESSES and ROLE, and `ip`, the version of IP as a text for layouts."""
    rows = batch.rows
    return {
        "laddr": Values(batch.laddr),
        "lport": Values(rows["lport"].astype(np.int64)),
        "raddr": Values(batch.raddr),
        "rport": Values(rows["rport"].astype(np.int64)),
        "role": Values(rows["end"].astype(np.int32), ROLES),
        "ip": Values(np.where(_over_ipv4(rows), 0, 1), ("4", "6")),
    }


@dataclass
class Ends:
    """The options, and what they choose."""

    localport: str = option("", "only these local ports, as 80,443", "-L")
    remoteport: str = option("", "only these remote ports, likewise", "-D")
    ipv4: bool = option(False, "IPv4 alone", "-4")
    ipv6: bool = option(False, "IPv6 alone", "-6")

    def __post_init__(self) -> None:
        if self.ipv4 and self.ipv6:
            raise UsageError("-4, -6: each is for one version of IP alone; without them it is both")
        self._localports = _ports("-L", self.localport)
        self._remoteports = _ports("-D", self.remoteport)

    def let_through(self, batch: ProbeBatch) -> ProbeBatch:
        """The batch without the rows that the options leave out."""
        if not (self._localports or self._remoteports or self.ipv4 or self.ipv6):
            return batch
        return batch.take(self.chosen(batch.rows))

    def chosen(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows of probes the options let through."""
        wanted = np.ones(len(rows), np.bool_)
        if self._localports:
            wanted &= np.isin(rows["lport"], self._localports)
        if self._remoteports:
            wanted &= np.isin(rows["rport"], self._remoteports)
        if self.ipv4 or self.ipv6:
            wanted &= _over_ipv4(rows) == self.ipv4
        return wanted


def _over_ipv4(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    wanted: NDArray[np.bool_] = rows["laddr_high"] == 0
    wanted &= rows["laddr_low"] >> 32 == MAPPED >> 32
    return wanted


def _ports(flag: str, text: str) -> list[int]:
    """The numbers of a list such as 80,443; none for no text."""
    words = text.split(",") if text else []
    if not all(word.isascii() and word.isdigit() and int(word) <= _HIGHEST_PORT for word in words):
        raise UsageError(f"{flag} {text}: ports are numbers up to {_HIGHEST_PORT}, as in 80,443")
    return [int(word) for word in words]
