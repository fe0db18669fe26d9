"""What the rows of a batch tell about each end of a connection, before its socket is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probes import CLOSED
from tcpsnoop.batches.segments import FIN, RST, SYN

NEVER = (1 << 63) - 1

_PLACES = ("laddr_high", "laddr_low", "lport", "raddr_high", "raddr_low", "rport")


class Sighting(NamedTuple):
    """An end as some rows show it. Times are of the first packet that tells so, or NEVER.

    A socket had been there if the end was `answering`: it sent a segment that is no RST.
    """

    key: int  # connection * 2 + end
    laddr: tuple[int, int]  # halves as in batches.addresses
    lport: int
    raddr: tuple[int, int]
    rport: int
    last_ns: int  # of the last packet
    first_ns: int
    began_ns: int  # a SYN
    answering_ns: int
    fin_sent_ns: int
    fin_received_ns: int
    ended_ns: int  # by a RST, or the provider has closed it


def keys_of(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """One number for the end at the left of each row: connection * 2 + end."""
    keys: NDArray[np.int64] = rows["connection"] * 2 + rows["end"]
    return keys


def tells_an_end(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Rows that show an end of a connection coming."""
    told: NDArray[np.bool_] = ((rows["flags"] & (FIN | RST)) != 0) | (rows["probe"] == CLOSED)
    return told


def sightings(rows: NDArray[np.void], keys: NDArray[np.int64]) -> Iterator[Sighting]:
    """What all rows together tell about each end, older connections first."""
    sent = rows["outgoing"] != 0
    began, finished = ((rows["flags"] & flag) != 0 for flag in (SYN, FIN))
    ended = ((rows["flags"] & RST) != 0) | (rows["probe"] == CLOSED)
    unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)

    def first_time(told: NDArray[np.bool_]) -> list[int]:
        times = np.full(len(unique), NEVER)
        np.minimum.at(times, inverse[told], rows["time_ns"][told])
        found: list[int] = times.tolist()
        return found

    last = np.full(len(unique), -NEVER)
    np.maximum.at(last, inverse, rows["time_ns"])
    places = zip(*(rows[name][first].tolist() for name in _PLACES), strict=True)
    told = (sent | ~sent, began, sent & ~ended, sent & finished, ~sent & finished, ended)
    times = zip(last.tolist(), *map(first_time, told), strict=True)
    for key, place, time in zip(unique.tolist(), places, times, strict=True):
        laddr_high, laddr_low, lport, raddr_high, raddr_low, rport = place
        yield Sighting(key, (laddr_high, laddr_low), lport, (raddr_high, raddr_low), rport, *time)
