"""One packet, every layer, by scapy: slow and broad, for people who read single packets.

The only module that imports scapy, and only when a packet is decoded. That takes half a second and
asks the kernel for interfaces and routes, but sends nothing to a network. Each packet then takes
about 0.6 ms.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scapy.packet import Packet

# A LINKTYPE_ number that scapy knows under another one: raw IP as OpenBSD wrote it.
SAME_AS = {14: 101}

BYTES_PER_LINE = 16
SILENT = 100  # a logging level above all


def decode(link_type: int, frame: bytes) -> str:
    """The fields of every layer, a line each, in the form of scapy's `show`; never raises.

    What scapy cannot decode comes as a hexadecimal dump with the reason. Characters that a terminal
    would act on are escaped.
    """
    if not frame:
        return "not decoded: no bytes were captured\n"
    try:
        text = str(_layer_of(SAME_AS.get(link_type, link_type))(frame).show(dump=True))
    except Exception as reason:  # whatever a frame made for it can make scapy's decoders raise
        text = f"not decoded: {str(reason) or type(reason).__name__}\n{_dump(frame)}"
    return _escaped(text)


@cache
def _layer_of(link_type: int) -> type[Packet]:
    """Scapy's class for the frames of a link type; LookupError when it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that scapy looks for
        from scapy.config import conf
        from scapy.error import log_interactive

        conf.logLevel = SILENT
        log_interactive.setLevel(SILENT)
        import scapy.layers.all  # noqa: F401  # what it knows: layers bind themselves when imported
        from scapy.layers.inet import TCP

        # Ports as numbers: what a port is called depends on the machine that reads the capture.
        conf.noenum.add(TCP.sport, TCP.dport)
    layer: type[Packet] | None = conf.l2types.num2layer.get(link_type)
    if layer is None:
        message = f"scapy does not know link type {link_type}"
        raise LookupError(message)
    return layer


def _dump(frame: bytes) -> str:
    """Offset, hexadecimal bytes, and the characters that they are in ASCII."""
    lines = []
    for start in range(0, len(frame), BYTES_PER_LINE):
        part = frame[start : start + BYTES_PER_LINE]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{start:04x}  {part.hex(' '):<{3 * BYTES_PER_LINE - 1}}  {shown}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    r"""The text with everything but line feeds and printable characters as `\x1b`, `\u202e`."""
    return "".join(each if each == "\n" or each.isprintable() else _code(each) for each in text)


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
