"""The kernel sees one type, whatever a source lends; so it is compiled once."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from captures.make.frames import ACK, Endpoint, ipv4, tcp
from captures.make.link_headers import ethernet
from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.dissect.kernel_arguments import read_only, tabulate_interfaces
from tests.dissect.one_frame import batch_of

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
FRAME = ethernet(ipv4(*ENDS, tcp(*ENDS, flags=ACK)))


def writable(batch: PacketBatch) -> PacketBatch:
    """As a source that reads into its own buffer lends it."""
    columns: list[Any] = [column.copy() for column in batch]
    return PacketBatch(*columns)


def scattered(batch: PacketBatch) -> PacketBatch:
    """Columns that are every second element of longer ones."""
    columns: list[Any] = [np.repeat(column, 2)[::2] for column in batch[1:]]
    return PacketBatch(batch.data, *columns)


def test_read_only_is_a_view_and_leaves_the_batch_alone() -> None:
    batch = writable(batch_of([FRAME, FRAME]))
    views = read_only(batch)
    assert all(map(np.shares_memory, views, batch))
    assert not any(column.flags.writeable for column in views)
    assert all(column.flags.writeable for column in batch)


@pytest.mark.skipif(os.environ.get("TCPSNOOP_INTERPRET") == "1", reason="nothing is compiled")
def test_one_compilation_for_all_sources(compiled: ModuleType) -> None:
    frozen = batch_of([FRAME, FRAME])
    dissector = compiled.Dissector(2)
    for batch in (frozen, writable(frozen), scattered(frozen)):
        segments, _ = dissector.dissect(batch, [CaptureInterface(1)])
        assert segments["source_port"].tolist() == [40000, 40000]
    kernel = compiled.layers.dissect_batch
    assert len(kernel.signatures) == 1


def test_interfaces_as_columns() -> None:
    table = tabulate_interfaces(
        [CaptureInterface(1, digits=9), CaptureInterface(276, digits=0, loopback=True)]
    )
    assert table.link_type.tolist() == [1, 276]
    assert table.digits.tolist() == [9, 0]
    assert table.loopback.tolist() == [False, True]
    assert [column.dtype for column in tabulate_interfaces(())] == [
        column.dtype for column in table
    ]
