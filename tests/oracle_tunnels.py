"""The plain dissector's way through a tunnel: what an IP packet carries that leads to another one.

See oracle.py. A tunnel of UDP is known by its port at either end, the destination's first, and must
lead to a sound IP header; its header must be one of its kind, or the datagram is no tunnel.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle_links import (
    ETHERNET,
    IPV4,
    IPV6,
    LONGEST_LENGTH,
    PPP,
    Place,
    big,
    by_version,
    need,
)

UDP, GRE = 17, 47
IP_IN_IP = {4: IPV4, 41: IPV6}
ERSPAN, ERSPAN_3 = 0x88BE, 0x22EB
TEREDO_PREFIX = bytes.fromhex("20010000")

Opened = Place | None
"""What a tunnel carries; None: it is none, or none that is read."""


def enter(protocol: int, data: bytes, at: int) -> Opened:
    """What stands inside of the tunnel that begins at `at`, if one does."""
    if protocol in IP_IN_IP:
        return Place(IP_IN_IP[protocol], at)
    if protocol == GRE:
        return _gre(data, at)
    if protocol == UDP and len(data) >= at + 8:
        source, destination, length = (big(data, at + i, 2) for i in (0, 2, 4))
        for port in (destination, source):
            if port == 3544:
                opened = _teredo(data, at + 8, at + length)
            else:
                opened = PORTS[port](data, at + 8) if port in PORTS else None
            if opened is not None:
                return opened
    return None


def _gre(data: bytes, at: int) -> Opened:
    flags, kind = big(data, at, 4) >> 16, big(data, at, 4) & 0xFFFF
    behind = at + 4 + 4 * sum(bool(flags & flag) for flag in (0x8000, 0x2000, 0x1000))
    if flags & 7 == 1:
        if kind != PPP or not flags & 0x1000:
            return None
        return Place(PPP, behind + (4 if flags & 0x80 else 0))
    if flags & 0x4007 or kind <= LONGEST_LENGTH:
        return None
    if kind == ERSPAN:
        return _erspan(data, behind) if flags & 0x1000 else Place(ETHERNET, behind)
    return _erspan_3(data, behind) if kind == ERSPAN_3 else Place(kind, behind)


def _erspan(data: bytes, at: int) -> Opened:
    need(data, at + 8)
    return Place(ETHERNET, at + 8) if data[at] >> 4 == 1 else None


def _erspan_3(data: bytes, at: int) -> Opened:
    need(data, at + 12)
    behind = at + (20 if data[at + 11] & 1 else 12)
    if data[at] >> 4 != 2:
        return None
    carried = data[at + 10] >> 2 & 31
    if carried == 2:
        return by_version(data, behind)
    return Place(ETHERNET, behind) if carried == 0 else None


def _vxlan(data: bytes, at: int) -> Opened:
    need(data, at + 8)
    return Place(ETHERNET, at + 8) if data[at] & 8 else None


def _vxlan_gpe(data: bytes, at: int) -> Opened:
    need(data, at + 8)
    if not data[at] & 4:
        return _vxlan(data, at)
    kind = {1: IPV4, 2: IPV6, 3: ETHERNET}.get(data[at + 3])
    return None if kind is None else Place(kind, at + 8)


def _geneve(data: bytes, at: int) -> Opened:
    need(data, at + 8)
    return Place(big(data, at + 2, 2), at + 8 + data[at] * 4) if data[at] < 64 else None


def _gtp(data: bytes, at: int) -> Opened:
    need(data, at + 8)
    flags = data[at]
    if flags >> 4 != 3 or data[at + 1] != 255:
        return None
    if not flags & 7:
        return by_version(data, at + 8)
    at += 12
    need(data, at)
    if not flags & 4:
        return by_version(data, at)
    for _ in range(8):
        if data[at - 1] == 0:
            return by_version(data, at)
        size = big(data, at, 1) * 4
        if size == 0:
            return None
        at += size
        need(data, at)
    return None


def _l2tp(data: bytes, at: int) -> Opened:
    need(data, at + 6)
    flags = big(data, at, 2)
    if flags & 0x800F != 2:
        return None
    at += 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    return Place(PPP, at + 2 + big(data, at, 2) if flags & 0x0200 else at)


def _teredo(data: bytes, at: int, end: int) -> Opened:
    if len(data) >= at + 4 and big(data, at, 2) == 1:
        at += 13 + data[at + 2] + data[at + 3]
    if len(data) >= at + 2 and big(data, at, 2) == 0:
        at += 8
    need(data, at + 40)
    ends = data[at + 8 : at + 24], data[at + 24 : at + 40]
    told = any(
        each[:4] == TEREDO_PREFIX or (each[0] == 0xFE and each[1] >> 6 == 2) for each in ends
    )
    return Place(IPV6, at) if told and at + 40 + big(data, at + 4, 2) <= end else None


def _ayiya(data: bytes, at: int) -> Opened:
    need(data, at + 8)
    kind = IP_IN_IP.get(data[at + 3])
    if data[at + 2] & 15 != 1 or kind is None:
        return None
    return Place(kind, at + 8 + 2 ** (data[at] >> 4) + 4 * (data[at + 1] >> 4))


PORTS: dict[int, Callable[[bytes, int], Opened]] = {
    1701: _l2tp,
    2152: _gtp,
    4789: _vxlan,
    4790: _vxlan_gpe,
    5072: _ayiya,
    6081: _geneve,
    8472: _vxlan,  # Linux's own choice
}
