"""Send calls of processes, and the ends of connections that they are of.

What packets show of an end's writes and what the kernel tells of its calls are never mixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, kernel
from tcpsnoop.owners.tracing.matching_kernel import ESTIMATED
from tcpsnoop.owners.tracing.tables import NONE, UNTOLD, Tables

# Instead of an end: its writes are taken from packets.
BY_PACKETS = -2


@kernel
def follows(
    rows: NDArray[np.void], ends: NDArray[np.void], tables: Tables, followed: NDArray[np.bool_]
) -> None:
    """For each row of a write as packets show it, whether the send calls of its end are told.

    If not, they will not be from then on: an end has one method for good.
    """
    for index in range(rows.size):
        row = rows[index]
        followed[index] = False
        key = np.int64(row["connection"]) * 2 + np.int64(row["end"])
        end = ends[key & (ends.size - 1)]
        if end["key"] != key:
            continue
        number = np.int64(end["socket"])
        one = tables.sockets[number & (tables.sockets.size - 1)]
        told = number != NONE and one["number"] == number and one["role"] != UNTOLD
        if told and not end["flags"] & ESTIMATED:
            followed[index] = True
        else:
            end["flags"] |= ESTIMATED


@kernel
def sends(
    writes: NDArray[np.void],
    count: Integer,
    tables: Tables,
    ends: NDArray[np.void],
    keys: NDArray[np.int64],
) -> None:
    """For each send call the key of the end that its socket is; NONE: no packet of it was seen.

    BY_PACKETS: its writes are taken from packets.
    """
    for index in range(count):
        number = np.int64(writes[index]["socket"])
        one = tables.sockets[number & (tables.sockets.size - 1)]
        key = np.int64(one["end"])
        keys[index] = NONE
        if one["number"] != number or key == NONE:
            continue
        end = ends[key & (ends.size - 1)]
        if end["key"] != key:
            continue
        keys[index] = key
        if one["role"] == UNTOLD or end["flags"] & ESTIMATED:
            keys[index] = BY_PACKETS
