"""Where packets come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch


@dataclass(frozen=True)
class Drops:
    """Packets that the kernel lost before the program saw them."""

    by_kernel: int  # buffer full
    by_interface: int  # by the device or its driver


class PacketSource(Protocol):
    """Packets in batches, in the order of the input.

    A batch's columns and bytes are valid until the next `read`. Damage is no exception: what came
    before it is delivered, then the source ends and `damage` says what is missing and where.
    """

    @property
    def interfaces(self) -> Sequence[CaptureInterface]:
        """The interfaces met so far; `PacketBatch.interface` is an index into it. It only grows."""

    @property
    def hosts(self) -> Mapping[tuple[int, int], str]:
        """Names of addresses (as halves) that the input itself recorded so far; it only grows."""

    @property
    def live(self) -> bool:
        """Packets come as they happen, so what is known must be shown at once."""

    @property
    def waits(self) -> bool:
        """`read` may wait for somebody else: live, or a pipe."""

    @property
    def ended(self) -> bool:
        """There is nothing left to read."""

    @property
    def damage(self) -> str | None:
        """One line when the input could not be read to its end, else None."""

    @property
    def anomalies(self) -> Sequence[str]:
        """Remarks about the input for the notes, each one line: lengths corrected, clock jumps."""

    def read(self, timeout: float) -> PacketBatch | None:
        """The next packets; None when none came within `timeout` seconds or the input ended."""

    def drops(self) -> Drops | None:
        """Packets lost so far; None where that is not known (files)."""

    def close(self) -> None:
        """Give back what is held; may be called twice."""
