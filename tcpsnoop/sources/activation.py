"""libpcap's reader of an interface, opened through pcapy-ng."""

from __future__ import annotations

from typing import Any

import pcapy

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.devices import ANY

# libpcap takes the size of the kernel's buffer as a C int of bytes.
LARGEST_BUFFER_KIB = (2**31 - 1) // 1024

# The kernel hands over a block of packets when it is full or this old: it bounds the delay of a
# packet on a quiet link, and how often a busy one wakes us.
BLOCK_TIMEOUT_MS = 50

# Outcomes of activating (pcap.h); positive ones are warnings.
_NO_SUCH_DEVICE = -5
_NO_PERMISSION = (-8, -11)
_NOT_UP = -9


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
    return reader


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
