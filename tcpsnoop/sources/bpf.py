"""Filter expressions compiled by libpcap, for packets that no kernel has filtered: those of files.

A program fits one link type. libpcap is asked without a file, through pcapy; where it would compile
differently for a file, that is put right here.
"""

from __future__ import annotations

import pcapy

from tcpsnoop.errors import UsageError
from tcpsnoop.sources import bpf_machine as machine
from tcpsnoop.sources.bpf_loopback import LOOPBACK_TYPES, accept_all_families
from tcpsnoop.sources.bpf_program import FilterProgram, Instruction

__all__ = ["FilterError", "FilterProgram", "compile_filter"]

# Files number link types by LINKTYPE_, libpcap's compiler by this system's DLT_, mostly the same
# (tcpdump.org/linktypes.html). 14 is raw IP as old OpenBSD files have it.
DLT_OF_LINK_TYPE = {14: 12, 100: 11, 101: 12, 102: 15, 103: 16, 106: 19}

# Between them these two link types know nearly every word of the language.
ETHERNET, IEEE802_11 = 1, 105

MAXIMUM_SNAPLEN = 262144  # libpcap's own
# PCAP_NETMASK_UNKNOWN: a file tells no netmask, so libpcap refuses `ip broadcast`.
UNKNOWN_NETMASK = 0xFFFFFFFF
# SKF_AD_OFF and SKF_AD_MAX of linux/filter.h: a load from there asks the capturing kernel. Offsets
# still higher are libpcap's own negative ones, before the packet, as for some Juniper link types.
ANCILLARY = range(0xFFFFF000, 0xFFFFF000 + 64)
REJECTS_ALL = "rejects all packets"  # libpcap, of an expression that it proves to be false

REJECT_ALL: Instruction = (machine.RETURN_CONSTANT, 0, 0, 0)


class FilterError(UsageError):
    """The filter expression is wrong, or asks for what a file does not tell."""


def compile_filter(
    expression: str, link_type: int, snaplen: int = MAXIMUM_SNAPLEN
) -> FilterProgram | None:
    """The program for packets of this LINKTYPE_; None when libpcap cannot filter them by it.

    None: either libpcap knows no such link type, or the expression does not apply to it (`ether
    host` to raw IP) though it is right. FilterError: it is right for no link type, or only a live
    capture could answer it (`inbound`). Names are resolved as libpcap does, which may take seconds.
    `snaplen` is what an accepting program returns; what passes does not depend on it.
    """
    dlt = DLT_OF_LINK_TYPE.get(link_type, link_type)
    if not 0 < snaplen <= MAXIMUM_SNAPLEN:
        snaplen = MAXIMUM_SNAPLEN
    answer = _ask_libpcap(expression, dlt, snaplen)
    if isinstance(answer, str):
        return _without_program(expression, dlt, answer)
    if any(_asks_the_kernel(instruction) for instruction in answer):
        raise FilterError(
            f"filter {expression!r}: asks for the direction or the interface of a packet, which a"
            f" file of link type {link_type} does not tell; capture live, or leave the word out"
        )
    if link_type in LOOPBACK_TYPES:
        plain = _ask_libpcap(expression, dlt, snaplen, optimize=False)
        if isinstance(plain, str):  # what was a program a moment ago: a name that changed
            raise FilterError(f"filter {expression!r}: {plain}")
        answer = accept_all_families(plain, link_type)
    return FilterProgram.of(answer)


def _ask_libpcap(
    expression: str, dlt: int, snaplen: int, *, optimize: bool = True
) -> list[Instruction] | str:
    """The program that libpcap makes, or its reason for making none."""
    try:
        program = pcapy.compile(dlt, snaplen, expression, int(optimize), UNKNOWN_NETMASK)
    except (pcapy.PcapError, OverflowError, ValueError) as error:
        # OverflowError: a link type beyond C's int. ValueError: text that C cannot take, or that it
        # returns damaged, as pcapy reads the reason from a handle that it has closed.
        return " ".join(str(error).split())
    return [
        (code, jt, jf, k - 2**32 if code == machine.JUMP_ALWAYS and k >= 2**31 else k)
        for code, jt, jf, k in program.get_bpf()
    ]


def _without_program(expression: str, dlt: int, reason: str) -> FilterProgram | None:
    """Whose fault it is that libpcap made no program: the link type's, or (FilterError) the user's.

    Another link type is the witness: one that takes the expression shows that it is right.
    """
    of_ethernet = _ask_libpcap(expression, ETHERNET, MAXIMUM_SNAPLEN)
    if isinstance(of_ethernet, list):
        return FilterProgram.of([REJECT_ALL]) if REJECTS_ALL in reason else None
    of_wireless = _ask_libpcap(expression, IEEE802_11, MAXIMUM_SNAPLEN)
    if isinstance(of_wireless, list) and REJECTS_ALL not in of_ethernet:
        return None
    # libpcap does not read an expression for a link type that it does not know; Ethernet it knows.
    raise FilterError(f"filter {expression!r}: {reason if dlt == IEEE802_11 else of_ethernet}")


def _asks_the_kernel(instruction: Instruction) -> bool:
    """Whether it loads what only the kernel knows about a packet: ancillary data."""
    code, _, _, k = instruction
    return code & ~machine.SIZE == machine.LOAD | machine.PACKET and k in ANCILLARY
