"""libpcap's reader of an interface, opened through pcapy-ng."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

import pcapy

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.devices import ANY, is_loopback

# libpcap takes the size of the kernel's buffer as a C int of bytes.
LARGEST_BUFFER_KIB = (2**31 - 1) // 1024

# The kernel hands over a block of packets when it is full or this old: it bounds the delay of a
# packet on a quiet link, and how often a busy one wakes us.
BLOCK_TIMEOUT_MS = 50

# Outcomes of activating (pcap.h); positive ones are warnings.
_NO_SUCH_DEVICE = -5
_NO_PERMISSION = (-8, -11)
_NOT_UP = -9

# linux/socket.h and linux/if_packet.h, since Linux 4.20.
_SOL_PACKET = 263
_PACKET_IGNORE_OUTGOING = 23


def open_reader(name: str, snaplen: int, buffer_kib: int, promiscuous: bool) -> Any:
    """A pcapy Reader that captures; UsageError when it cannot."""
    if not 0 < buffer_kib <= LARGEST_BUFFER_KIB:
        raise UsageError(f"a buffer must have 1 to {LARGEST_BUFFER_KIB} KiB, not {buffer_kib}")
    try:
        reader = pcapy.create(name)
    except (pcapy.PcapError, ValueError) as error:
        raise UsageError(f"cannot capture on {name!r}: {error}") from error
    reader.set_snaplen(snaplen)
    reader.set_promisc(int(promiscuous and name != ANY))
    reader.set_buffer_size(buffer_kib * 1024)
    reader.set_timeout(BLOCK_TIMEOUT_MS)
    outcome = reader.activate()
    if outcome < 0:
        reader.close()
        raise UsageError(_refusal(name, outcome))
    if is_loopback(name):
        _take_coming_in_alone(reader.getfd())
    return reader


def _take_coming_in_alone(descriptor: int) -> None:
    """Of the loopback device, where each packet goes out and comes in.

    libpcap leaves the first out, but only after the kernel has copied both into its buffer.
    """
    with socket.socket(fileno=os.dup(descriptor)) as capturing, contextlib.suppress(OSError):
        capturing.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)


def _refusal(name: str, outcome: int) -> str:
    """What the user is told when libpcap does not open an interface; it gives only a number."""
    if outcome in _NO_PERMISSION:
        return (
            f"no permission to capture on {name}: run as root, or with the capability cap_net_raw "
            "(setcap cap_net_raw+ep on the Python that runs this)"
        )
    if outcome == _NO_SUCH_DEVICE:
        return f"there is no interface {name}: `tcpsnoop list interfaces` names those there are"
    if outcome == _NOT_UP:
        return f"interface {name} is down: bring it up with `ip link set {name} up`"
    return (
        f"libpcap cannot capture on {name} (outcome {outcome}): "
        "try another interface or a smaller buffer (-B)"
    )
