"""The interfaces that can be captured on: what `list interfaces` shows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import pcapy

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.netlink import addresses_by_interface

ANY = "any"

_FOLDER = Path("/sys/class/net")
_LOOPBACK_TYPE = 772  # ARPHRD_LOOPBACK of linux/if_arp.h
_UP = 0x1  # IFF_UP of linux/if.h

# What libpcap offers besides interfaces of the host, by the beginning of its name.
_PSEUDO_DEVICES = {
    ANY: "all interfaces, cooked",
    "bluetooth": "Bluetooth, no TCP",
    "dbus": "D-Bus, no TCP",
    "nflog": "packets that a firewall rule logs (NFLOG)",
    "nfqueue": "packets that a firewall rule queues (NFQUEUE): reading takes them away",
    "usbmon": "USB, no TCP",
}


@dataclass(frozen=True)
class Device:
    """An interface; `up` is None for one that is none of the host's."""

    name: str
    description: str = ""
    addresses: tuple[str, ...] = ()
    up: bool | None = None
    loopback: bool = False


def devices() -> list[Device]:
    """All that libpcap can capture on, in its order; UsageError when it finds none."""
    try:
        names = pcapy.findalldevs()
    except pcapy.PcapError as error:
        raise UsageError(f"no interface can be listed: {error}") from error
    addresses = addresses_by_interface()
    return [_device(name, tuple(addresses.get(name, ()))) for name in names]


def is_loopback(name: str) -> bool:
    """Whether the kernel says that this interface is a loopback device."""
    return _attribute(name, "type") == str(_LOOPBACK_TYPE)


def _device(name: str, addresses: tuple[str, ...]) -> Device:
    flags = _attribute(name, "flags")
    if flags:
        up = bool(int(flags, 16) & _UP)
        return Device(name, _attribute(name, "ifalias"), addresses, up, is_loopback(name))
    words = (text for start, text in _PSEUDO_DEVICES.items() if name.startswith(start))
    return Device(name, next(words, ""))


def _attribute(name: str, attribute: str) -> str:
    """What the kernel says of an interface; nothing if it is none of the host's."""
    with contextlib.suppress(OSError, ValueError):
        return (_FOLDER / name / attribute).read_text().strip()
    return ""
