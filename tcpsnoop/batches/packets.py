"""Packets as they were captured: one buffer of bytes, and columns that say where each packet is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Direction of a packet as its capture recorded it (pcapng epb_flags; section 4.3.1 of the draft).
DIRECTION_UNKNOWN = 0
DIRECTION_INBOUND = 1
DIRECTION_OUTBOUND = 2

# Datalink types of Sun snoop that no LINKTYPE_ number stands for are counted on from here.
SNOOP_DATALINKS = 1 << 32


def link_type_label(link_type: int) -> str:
    """How people are told a link type: its number, and whose if it is no LINKTYPE_."""
    if link_type >= SNOOP_DATALINKS:
        return f"{link_type - SNOOP_DATALINKS} of snoop"
    return str(link_type)


@dataclass(frozen=True)
class CaptureInterface:
    """Where packets were captured: a device, or an interface block of a file."""

    link_type: int  # LINKTYPE_ number of tcpdump.org/linktypes.html, not the DLT_ of this system
    digits: int = 6  # decimal digits of a second that its timestamps have, 0 to 9
    name: str = ""
    snaplen: int = 0  # 0: not stated
    loopback: bool = False  # a loopback device, known by its name (live)
    addresses: tuple[tuple[int, int], ...] = ()  # its own, as halves (batches.addresses)
    file: int = 0  # index among the inputs


class PacketBatch(NamedTuple):
    """n packets, columns of shape (n,); `data` belongs to the source until it is asked again.

    A NamedTuple of arrays, so that a kernel takes it whole.
    """

    data: NDArray[np.uint8]
    packet: NDArray[np.int64]  # number of the packet in its input, from 1
    time_ns: NDArray[np.int64]  # nanoseconds since the epoch, UTC
    clock_ns: NDArray[np.int64]  # capture time, the largest time_ns so far; the engine writes it
    offset: NDArray[np.int64]  # where its first byte is in `data`
    captured: NDArray[np.int64]  # bytes present in `data`
    original: NDArray[np.int64]  # bytes on the wire, at least `captured`; -1 unknown
    interface: NDArray[np.int32]  # index into the source's list of interfaces
    direction: NDArray[np.uint8]  # DIRECTION_ of this module


def take_packets(batch: PacketBatch, index: NDArray[np.int64] | NDArray[np.bool_]) -> PacketBatch:
    """The chosen packets of a batch, over the same bytes."""
    columns: list[Any] = [column[index] for column in batch[1:]]
    return PacketBatch(batch.data, *columns)


def first_packets(batch: PacketBatch, count: int) -> PacketBatch:
    """The first `count` packets of a batch, as views."""
    return slice_packets(batch, 0, count)


def slice_packets(batch: PacketBatch, start: int, stop: int) -> PacketBatch:
    """The packets `start` to `stop` of a batch, as views."""
    columns: list[Any] = [column[start:stop] for column in batch[1:]]
    return PacketBatch(batch.data, *columns)
