"""The addresses of one network namespace, as /proc/net/fib_trie and /proc/net/if_inet6 list them.

On it hangs which namespaces are asked for a socket, and the wording of a reason: a connection
that is not there is `gone` when its address is here, and `not visible` when it belongs to a
namespace that we cannot see, or to another machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tcpsnoop.batches.addresses import MAPPED
from tcpsnoop.owners.networks import Networks

REFRESH_SECONDS = 5.0
# A router with a full table lists a million routes: then every address counts as local.
LARGEST_FILE = 1 << 20

_LEAF_OR_ROUTE = re.compile(rb"\|-- (\d+\.\d+\.\d+\.\d+)$|^ +/(\d+) host LOCAL", re.MULTILINE)
_IPV6 = re.compile(rb"^([0-9a-f]{32}) ", re.MULTILINE)


class LocalAddresses:
    """The addresses of the namespace whose folder is `net`, read again every 5 s when asked."""

    def __init__(self, net: Path, clock: Callable[[], float]) -> None:
        self._net = net
        self._clock = clock
        self._read_at = -REFRESH_SECONDS
        self._networks: Networks | None = None

    @property
    def networks(self) -> Networks | None:
        """The addresses, None when they cannot be known."""
        now = self._clock()
        if now - self._read_at >= REFRESH_SECONDS:
            self._read_at = now
            self._networks = _read(self._net)
        return self._networks

    def has(self, high: int, low: int, *, if_unknown: bool = True) -> bool:
        """Whether an address (halves as in batches.addresses) is here."""
        networks = self.networks
        return if_unknown if networks is None else networks.has(high, low)


def _read(net: Path) -> Networks | None:
    try:
        with (net / "fib_trie").open("rb") as file:
            trie = file.read(LARGEST_FILE + 1)
    except OSError:
        return None
    if len(trie) > LARGEST_FILE:
        return None
    networks = set()
    leaf = 0
    for address, length in _LEAF_OR_ROUTE.findall(trie):
        if address:
            leaf = int.from_bytes(map(int, address.split(b"."))) | MAPPED
        else:
            shift = 32 - int(length)
            networks.add((leaf >> shift, shift))
    try:
        interfaces = (net / "if_inet6").read_bytes()
    except OSError:  # no IPv6
        interfaces = b""
    networks.update((int(address, 16), 0) for address in _IPV6.findall(interfaces))
    return Networks(networks)
