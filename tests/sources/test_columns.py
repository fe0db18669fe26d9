"""Room for packets: the types that kernels are compiled for."""

from __future__ import annotations

import numpy as np

from tcpsnoop.batches.packets import DIRECTION_UNKNOWN
from tcpsnoop.sources.columns import empty_columns


def test_columns_have_room_and_their_types() -> None:
    data = np.zeros(10, np.uint8)
    columns = empty_columns(data, 7)
    assert columns.data is data
    assert {len(column) for column in columns[1:]} == {7}
    kinds = {name: getattr(columns, name).dtype for name in columns._fields[1:]}
    assert kinds.pop("interface") == np.int32
    assert kinds.pop("direction") == np.uint8
    assert set(kinds.values()) == {np.dtype(np.int64)}
    assert all(column.flags.c_contiguous and column.flags.writeable for column in columns)


def test_what_classic_captures_never_write_is_set() -> None:
    columns = empty_columns(np.zeros(0, np.uint8), 3)
    assert columns.interface.tolist() == [0, 0, 0]
    assert columns.direction.tolist() == [DIRECTION_UNKNOWN] * 3
