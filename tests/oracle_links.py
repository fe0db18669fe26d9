"""The plain dissector's way from a link type to IP, one packet at a time.

Only what the standards and tcpdump.org/linktypes say, read with slices; see oracle.py. Its readings
where they leave a choice: PPP may leave out its framing and half of its protocol number everywhere;
below MPLS labels stands IP when the first half byte is 4 or 6, else the frame of a pseudowire, with
a control word if that makes it lead to IP; a WLAN frame's flag alone says that it is encrypted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

IPV4, IPV6 = 0x0800, 0x86DD
TAGS = (0x8100, 0x88A8, 0x9100, 0x9200)
MOST_HEADERS = 8  # between a link header and IP, as Linux reads tags (VLAN_MAX_DEPTH)
MOST_LABELS = 16
LONGEST_LENGTH, SNAP = 1500, b"\xaa\xaa\x03\0\0\0"  # IEEE 802.3, RFC 1042
ETHERNET, PPP, PPPOE = 0x6558, 0x880B, 0x8864  # as GRE and Ethernet announce them
BACKBONE, LABELS = 0x88E7, (0x8847, 0x8848)  # 802.1ah, MPLS
LLC, UNKNOWN = 0, 0xFFFF

IPV4_FAMILY, IPV6_FAMILIES = 2, (10, 23, 24, 28, 30)  # Linux, Windows, three BSDs
RADIOTAP_HARDWARE, NO_ETHER_TYPE = 803, (770, 824)
PPP_PROTOCOLS = {0x21: IPV4, 0x57: IPV6, 0x281: 0x8847, 0x283: 0x8848}


class NoSegmentError(Exception):
    """Ends the dissection of a packet that gives no segment; its text is the verdict."""


class Place(NamedTuple):
    """What a header announces, as an EtherType, and where; `end`: where an outer layer ends it."""

    kind: int
    at: int
    end: int | None = None


def need(data: bytes, end: int) -> None:
    """`end` bytes must have been captured."""
    if len(data) < end:
        raise NoSegmentError("cut short")


def big(data: bytes, at: int, size: int) -> int:
    """A number in network byte order that must have been captured."""
    need(data, at + size)
    return int.from_bytes(data[at : at + size], "big")


def little(data: bytes, at: int, size: int) -> int:
    """The same, little-endian."""
    need(data, at + size)
    return int.from_bytes(data[at : at + size], "little")


def network(link_type: int, data: bytes, at: int = 0) -> Place:
    """What a frame carries: IPv4 or IPv6, or something else, behind all that stands before."""
    if link_type in (192, 258):  # PPI, PKTAP: a link type and where its frame begins
        return network(*(_ppi if link_type == 192 else _pktap)(data, at))
    if link_type not in LINKS:
        raise NoSegmentError("unsupported link type")
    return onward(data, LINKS[link_type](data, at))


def onward(data: bytes, place: Place) -> Place:
    """The first place at or behind this one that leads no further."""
    for _ in range(MOST_HEADERS):
        step = ONWARD.get(LLC if place.kind <= LONGEST_LENGTH else place.kind)
        if step is None:
            break
        following = step(data, place.at)
        ends = [end for end in (place.end, following.end) if end is not None]
        place = following._replace(end=min(ends, default=None))
    return place


def by_version(data: bytes, at: int) -> Place:
    """IP that says its version itself."""
    version = big(data, at, 1) >> 4
    return Place({4: IPV4, 6: IPV6}.get(version, UNKNOWN), at)


def ethernet(data: bytes, at: int) -> Place:
    """An Ethernet header."""
    need(data, at + 14)
    return Place(big(data, at + 12, 2), at + 14)


def ppp(data: bytes, at: int) -> Place:
    """PPP; framing and the first half of the protocol may be missing."""
    if big(data, at, 1) == 0xFF and big(data, at, 3) >> 8 == 0xFF03:
        at += 2
    size = 1 if big(data, at, 1) & 1 else 2
    return Place(PPP_PROTOCOLS.get(big(data, at, size), UNKNOWN), at + size)


def _tag(data: bytes, at: int) -> Place:
    need(data, at + 4)
    return Place(big(data, at + 2, 2), at + 4)


def _snap(data: bytes, at: int) -> Place:
    need(data, at + 8)
    return Place(big(data, at + 6, 2) if data[at : at + 6] == SNAP else UNKNOWN, at + 8)


def _backbone(data: bytes, at: int) -> Place:
    return ethernet(data, at + 4)


def _labels(data: bytes, at: int) -> Place:
    for _ in range(MOST_LABELS):
        label, at = big(data, at, 4), at + 4
        if label & 0x100:
            break
    else:
        return Place(UNKNOWN, at)
    inside = by_version(data, at)
    if inside.kind == UNKNOWN:
        for start in (at + 4, at):
            if len(data) >= start + 14 and ethernet(data, start).kind in (
                IPV4,
                IPV6,
                0x8100,
                0x88A8,
            ):
                return Place(ETHERNET, start)
    return inside


def _pppoe(data: bytes, at: int) -> Place:
    need(data, at + 6)
    if data[at : at + 2] != b"\x11\0":
        return Place(UNKNOWN, at)
    length = big(data, at + 4, 2)
    return Place(PPP, at + 6, at + 6 + length if length else None)


def _cooked(data: bytes, at: int, size: int, protocol: int, hardware: int) -> Place:
    need(data, at + size)
    kind = big(data, at + hardware, 2)
    if kind == RADIOTAP_HARDWARE:
        return _radiotap(data, at + size)
    return Place(UNKNOWN if kind in NO_ETHER_TYPE else big(data, at + protocol, 2), at + size)


def _family(data: bytes, at: int, orders: tuple[Callable[[bytes, int, int], int], ...]) -> Place:
    families = [order(data, at, 4) for order in orders]
    if IPV4_FAMILY in families:
        return Place(IPV4, at + 4)
    return Place(IPV6 if set(families) & set(IPV6_FAMILIES) else UNKNOWN, at + 4)


def _nflog(data: bytes, at: int) -> Place:
    at += 4
    while True:
        order = little if little(data, at, 4) >> 16 < 256 else big
        length, number = order(data, at, 2), order(data, at + 2, 2)
        if length < 4:
            raise NoSegmentError("bad length")
        if number == 9:
            return by_version(data, at + 4)
        at += -(-length // 4) * 4


def _pktap(data: bytes, at: int) -> tuple[int, bytes, int]:
    need(data, at + 108)
    if little(data, at, 4) < 108:
        raise NoSegmentError("bad length")
    if little(data, at + 4, 4) != 1:
        raise NoSegmentError("not ip")
    return little(data, at + 8, 4), data, at + little(data, at, 4)


def _ppi(data: bytes, at: int) -> tuple[int, bytes, int]:
    need(data, at + 8)
    if little(data, at + 2, 2) < 8:
        raise NoSegmentError("bad length")
    return little(data, at + 4, 4), data, at + little(data, at + 2, 2)


def _fddi(data: bytes, at: int) -> Place:
    need(data, at + 13)
    return Place(LLC if data[at] & 0x70 == 0x50 else UNKNOWN, at + 13)


def _arcnet(data: bytes, at: int, linux: bool) -> Place:
    at += 4 if linux else 2
    kind = {240: IPV4, 212: IPV4, 196: IPV6}.get(big(data, at, 1), UNKNOWN)
    if kind == UNKNOWN or data[at] == 240:
        return Place(kind, at + 1)
    need(data, at + 4)
    split, size = data[at + 1], 4
    if not linux and split == 0xFF:
        need(data, at + 8)
        split, size = data[at + 5], 8
    if not linux and split and split % 2 == 0:
        raise NoSegmentError("fragment")
    return Place(kind, at + size)


def _ipoib(data: bytes, at: int) -> Place:
    need(data, at + 44)
    return Place(big(data, at + 40, 2), at + 44)


def _mpacket(data: bytes, at: int) -> Place:
    need(data, at + 8)
    if data[at + 6] in bytes.fromhex("61529e2a"):
        raise NoSegmentError("fragment")
    return Place(ETHERNET if data[at + 7] in bytes.fromhex("d5e64c7fb3") else UNKNOWN, at + 8)


def _hdlc(data: bytes, at: int) -> Place:
    need(data, at + 4)
    return Place(big(data, at + 2, 2), at + 4)


def _serial(data: bytes, at: int) -> Place:
    return (_hdlc if data[at : at + 1] in (b"\x0f", b"\x8f") else ppp)(data, at)


def _pppd(data: bytes, at: int) -> Place:
    return ppp(data, at + (2 if data[at + 1 : at + 2] == b"\x03" else 1))


def _radiotap(data: bytes, at: int) -> Place:
    need(data, at + 8)
    length = little(data, at + 2, 2)
    if data[at]:
        return Place(UNKNOWN, at)
    if length < 8:
        raise NoSegmentError("bad length")
    need(data, at + length)
    header = data[at : at + length]
    words = [little(header, 4, 4)]
    while words[-1] >> 31 and 8 + 4 * len(words) <= length:
        words.append(little(header, 4 + 4 * len(words), 4))
    fields = 4 + 4 * len(words)
    if words[0] & 1:
        fields = -(-fields // 8) * 8 + 8
    flags = header[fields : fields + 1] if words[0] & 2 and not words[-1] >> 31 else b""
    return _wlan(data, at + length, bool(flags and flags[0] & 0x20))


def _wlan(data: bytes, at: int, padded: bool = False) -> Place:
    need(data, at + 2)
    kind, flags = data[at], data[at + 1]
    if kind & 0x0F != 0x08 or kind & 0x40:  # version 0, data; without data
        return Place(UNKNOWN, at)
    quality = at + (30 if flags & 3 == 3 else 24)
    end = quality
    if kind & 0x80:
        end += 6 if flags & 0x80 else 2
    need(data, end)
    if flags & 0x40:
        raise NoSegmentError("encrypted")
    if data[at + 22] & 15:
        raise NoSegmentError("fragment")
    aggregate = end > quality and data[quality] & 0x80
    if padded:
        end += -(end - at) % 4
    return Place(LLC, end + (14 if aggregate else 0))


ONWARD: dict[int, Callable[[bytes, int], Place]] = {
    LLC: _snap,
    ETHERNET: ethernet,
    PPP: ppp,
    PPPOE: _pppoe,
    BACKBONE: _backbone,
    **dict.fromkeys(TAGS, _tag),
    **dict.fromkeys(LABELS, _labels),
}

LINKS: dict[int, Callable[[bytes, int], Place]] = {
    0: lambda data, at: _family(data, at, (little, big)),
    1: ethernet,
    7: lambda data, at: _arcnet(data, at, linux=False),
    9: ppp,
    10: _fddi,
    12: by_version,
    14: by_version,
    50: _serial,
    51: _pppoe,
    101: by_version,
    104: _hdlc,
    105: _wlan,
    108: lambda data, at: _family(data, at, (big,)),
    113: lambda data, at: _cooked(data, at, 16, 14, 2),
    127: _radiotap,
    129: lambda data, at: _arcnet(data, at, linux=True),
    166: _pppd,
    204: lambda data, at: ppp(data, at + 1),
    205: lambda data, at: _hdlc(data, at + 1),
    228: lambda _, at: Place(IPV4, at),
    229: lambda _, at: Place(IPV6, at),
    239: _nflog,
    242: _ipoib,
    274: _mpacket,
    276: lambda data, at: _cooked(data, at, 20, 0, 8),
}
