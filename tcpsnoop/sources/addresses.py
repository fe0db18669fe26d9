"""The host's own addresses, which are local (SEMANTICS 4, rule 2)."""

from __future__ import annotations

from tcpsnoop.batches.addresses import halves
from tcpsnoop.sources.netlink import addresses_by_interface


def host_addresses() -> list[tuple[int, int]]:
    """The addresses of all interfaces as halves, as they are now; cheap enough to ask each second.

    Those of the network namespace of this process.
    """
    texts = (text for found in addresses_by_interface().values() for text in found)
    return sorted({halves(text) for text in texts})
