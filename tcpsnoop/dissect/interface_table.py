"""What dissecting needs of the interfaces, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface


class InterfaceTable(NamedTuple):
    """k interfaces, columns of shape (k,)."""

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
