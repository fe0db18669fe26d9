"""What there is to choose from, for `tcpsnoop list`."""

from __future__ import annotations

from collections.abc import Iterator

from tcpsnoop.batches.probes import COMMON_FIELDS, PROBES
from tcpsnoop.sources.devices import devices

__all__ = ["COMMON_FIELDS", "PROBES", "interfaces"]


def interfaces() -> Iterator[str]:
    """A line for each interface that can be captured on."""
    for device in devices():
        addresses = ", ".join(device.addresses)
        yield f"{device.name:<16} {addresses or device.description}".rstrip()
