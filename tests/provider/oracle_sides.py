"""Which ends are local: the rules of SEMANTICS 4 over the whole window, in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tcpsnoop.batches.segments import SIDE_INBOUND, SIDE_LOOPBACK, SIDE_OUTBOUND
from tests.provider.talk import Endpoint, Sent

WINDOW_SEGMENTS = 4096


class OracleSides:
    """The rules, over a capture that is known as a whole."""

    def __init__(self, local: Sequence[str], sent: Sequence[Sent]) -> None:
        window = sent[:WINDOW_SEGMENTS]
        self.rules = [0] * 6
        self._given = [ip_network(text, strict=False) for text in local]
        self._by_direction = _by_direction(window)
        self._common = _common(window)

    def local_ends(self, segment: Sent) -> frozenset[Endpoint]:
        """The local ends of the connection that this begins, by the first rule that names one."""
        ends = segment.source, segment.destination
        if _is_loopback(segment):
            self.rules[0] += 1
            return frozenset(ends)
        named: Iterable[tuple[int, set[str]]] = (
            (1, {end.address for end in ends if _within(end.address, self._given)}),
            (3, self._by_direction),
            (4, self._common if len(self._common) == 1 else set()),
        )
        for rule, addresses in named:
            local = frozenset(end for end in ends if end.address in addresses)
            if local:
                self.rules[rule] += 1
                return local
        self.rules[5] += 1
        return frozenset()


def _within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(ip_address(address) in network for network in networks)


def _is_loopback(segment: Sent) -> bool:
    addresses = segment.source.address, segment.destination.address
    inside = all(ip_address(address).is_loopback for address in addresses)
    return segment.side == SIDE_LOOPBACK or addresses[0] == addresses[1] or inside


def _by_direction(window: Sequence[Sent]) -> set[str]:
    """The local addresses of rule 3."""
    inside, outside = set(), set()
    for segment in window:
        if segment.side in (SIDE_INBOUND, SIDE_OUTBOUND) and not _is_loopback(segment):
            ends = segment.source.address, segment.destination.address
            inside.add(ends[segment.side == SIDE_INBOUND])
            outside.add(ends[segment.side == SIDE_OUTBOUND])
    return inside - outside


def _common(window: Sequence[Sent]) -> set[str]:
    """The addresses that are an end of every segment, loopback left out."""
    pairs = [
        {segment.source.address, segment.destination.address}
        for segment in window
        if not _is_loopback(segment)
    ]
    return set.intersection(*pairs) if pairs else set()
