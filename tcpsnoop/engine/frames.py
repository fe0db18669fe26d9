"""Frames that may still be decoded: those of segments whose probes have not all come out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch
from tcpsnoop.batches.segments import SegmentBatch
from tcpsnoop.decode import decode


class Frames:
    """Bytes by file and packet number. Decoding takes a thousand times longer than keeping."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._interfaces: Sequence[CaptureInterface] = ()

    def keep(
        self,
        segments: SegmentBatch,
        packets: PacketBatch,
        interfaces: Sequence[CaptureInterface],
    ) -> None:
        """Copy the frames of these segments."""
        self._interfaces = interfaces
        for index, number in zip(segments["frame"], segments["interface"], strict=True):
            interface = interfaces[number]
            start = int(packets.offset[index])
            stop = start + int(packets.captured[index])
            key = interface.file, int(packets.packet[index])
            self._kept[key] = interface.link_type, packets.data[start:stop].tobytes()

    def decoded(self, rows: NDArray[np.void]) -> list[str]:
        """Every layer of the packet of each probe row, in words."""
        texts = []
        for packet, number in zip(rows["packet"], rows["interface"], strict=True):
            found = self._kept.get((self._interfaces[number].file, int(packet)))
            texts.append(decode(*found) if found else "")
        return texts

    def forget(self, oldest: int | None = None) -> None:
        """All probes of packets before `oldest` have come out; None: of all."""
        if oldest is None:
            self._kept.clear()
            return
        for key in [key for key in self._kept if key[1] < oldest]:
            del self._kept[key]
