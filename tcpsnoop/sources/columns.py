"""Room for the packets of a batch, which a source fills anew for each `read`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import DIRECTION_UNKNOWN, PacketBatch

# Enough that what a batch costs in Python (some 0.1 ms) is little beside its packets, and so few
# that columns, and the segments made of them, stay in caches and take little memory.
PACKETS_PER_BATCH = 32_768


def empty_columns(data: NDArray[np.uint8], count: int) -> PacketBatch:
    """Columns for `count` packets: interface 0, no direction, the rest not initialised."""
    return PacketBatch(
        data=data,
        packet=np.empty(count, np.int64),
        time_ns=np.empty(count, np.int64),
        clock_ns=np.empty(count, np.int64),
        offset=np.empty(count, np.int64),
        captured=np.empty(count, np.int64),
        original=np.empty(count, np.int64),
        interface=np.zeros(count, np.int32),
        direction=np.full(count, DIRECTION_UNKNOWN, np.uint8),
    )
