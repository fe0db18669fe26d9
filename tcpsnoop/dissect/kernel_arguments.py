"""What the kernel is called with: always the same types, or it would be compiled for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch


class InterfaceTable(NamedTuple):
    """What dissecting needs of k interfaces, columns of shape (k,)."""

    link_type: NDArray[np.int64]  # LINKTYPE_ number
    digits: NDArray[np.uint8]  # decimal digits of a second
    loopback: NDArray[np.bool_]


def tabulate_interfaces(interfaces: Sequence[CaptureInterface]) -> InterfaceTable:
    """The table of a source's interfaces, in their order."""
    return InterfaceTable(
        np.array([interface.link_type for interface in interfaces], np.int64),
        np.array([interface.digits for interface in interfaces], np.uint8),
        np.array([interface.loopback for interface in interfaces], np.bool_),
    )


def read_only(batch: PacketBatch) -> PacketBatch:
    """The batch as contiguous views that cannot be written, whatever its source lends."""
    columns: list[Any] = [np.ascontiguousarray(column).view() for column in batch]
    for column in columns:
        column.flags.writeable = False
    return PacketBatch(*columns)
