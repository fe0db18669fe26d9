"""Room for the packets of a batch, which a source fills anew for each `read`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import DIRECTION_UNKNOWN, PacketBatch

# A full read buffer (4 MiB) holds 60,000 of the smallest TCP packets (54 bytes and a record header
# of 16), so the buffer ends a batch and not this; and the columns stay at 3 MB.
PACKETS_PER_BATCH = 65_536


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
