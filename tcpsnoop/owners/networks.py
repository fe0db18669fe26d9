"""The addresses that are of one network namespace: networks, most of them of one address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Protocol

from tcpsnoop.batches.addresses import MAPPED, halves

_HALF = (1 << 64) - 1
_BITS = 128
_IPV4_BITS = 32


class Addresses(Protocol):
    """Whether an address is of the network namespace that is ours."""

    def has(self, high: int, low: int) -> bool:
        """Whether an address (halves as in batches.addresses) is."""


class Networks:
    """Networks as (address >> shift, shift) of 128 bits."""

    def __init__(self, known: Iterable[tuple[int, int]]) -> None:
        self.known = frozenset(known)
        self._shifts = tuple({shift for _, shift in self.known})

    @classmethod
    def parsed(cls, texts: Iterable[str]) -> Networks:
        """Those written as `texts` has them; ValueError when one is not."""
        return cls(map(_parsed, texts))

    def has(self, high: int, low: int) -> bool:
        """Whether an address (halves as in batches.addresses) is in one of them."""
        value = (high & _HALF) << 64 | low & _HALF
        return any((value >> shift, shift) in self.known for shift in self._shifts)

    def texts(self) -> tuple[str, ...]:
        """Each as text, in order: `127.0.0.0/8`, and without a length where it is one address."""
        return tuple(_text(*each) for each in sorted(self.known))

    def addresses(self) -> frozenset[tuple[int, int]]:
        """The halves of those that are one address."""
        return frozenset(halves(_text(value, 0)) for value, shift in self.known if shift == 0)


def _parsed(text: str) -> tuple[int, int]:
    network = ipaddress.ip_network(text)
    shift = network.max_prefixlen - network.prefixlen
    value = int(network.network_address) | (MAPPED if network.version == 4 else 0)
    return value >> shift, shift


def _text(above: int, shift: int) -> str:
    value = above << shift
    address = ipaddress.IPv6Address(value)
    # Only then all addresses of it are IPv4.
    if address.ipv4_mapped is not None and shift <= _IPV4_BITS:
        length = _IPV4_BITS - shift
        return f"{address.ipv4_mapped}/{length}" if shift else f"{address.ipv4_mapped}"
    return f"{address}/{_BITS - shift}" if shift else f"{address}"
