"""Loopback captures: the address family that stands where other links have a protocol.

Which number means IPv6, and in which byte order it is written, depends on the system that captured.
libpcap, asked for a program without a file, compares with this system's number and order. For a
file it takes the numbers of all systems; so do the programs made here, and in both byte orders,
since tools that convert captures keep the packets' order and change the file's.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from itertools import accumulate

from tcpsnoop.sources import bpf_machine as machine
from tcpsnoop.sources.bpf_program import Instruction

# LINKTYPE_NULL, LINKTYPE_ENC: in the order of the system that captured. LINKTYPE_LOOP: big-endian.
HOST_ORDER_TYPES = frozenset({0, 109})
LOOPBACK_TYPES = HOST_ORDER_TYPES | {108}

# AF_INET is 2 everywhere. AF_INET6 (tcpdump.org/linktypes.html, LINKTYPE_NULL): 24 NetBSD, OpenBSD
# and Npcap, 28 FreeBSD, 30 macOS.
FAMILIES = {int(socket.AF_INET): (2,), int(socket.AF_INET6): (24, 28, 30)}

LOAD_FAMILY = (machine.LOAD | machine.PACKET | machine.WORD_SIZE, 0)


def accept_all_families(program: Sequence[Instruction], link_type: int) -> list[Instruction]:
    """The program with every test for a family widened to the numbers of all systems.

    It must come unoptimized from libpcap: only then a test for a family is a load of the first word
    and, right behind it, a comparison, and nothing that a user writes about that word looks so.
    """
    families = _compared_families(link_type)
    values = [
        families.get(k, [k]) if _tests_family(program, position) else [k]
        for position, (_, _, _, k) in enumerate(program)
    ]
    starts = list(accumulate(map(len, values), initial=0))
    widened = []
    for position, (code, jt, jf, _) in enumerate(program):
        for here, value in enumerate(values[position], starts[position]):
            if code == machine.JUMP_ALWAYS:
                widened.append((code, 0, 0, starts[position + 1 + value] - here - 1))
                continue
            is_last = here + 1 == starts[position + 1]
            true = starts[position + 1 + jt] - here - 1
            false = starts[position + 1 + jf] - here - 1 if is_last else 0
            widened.append((code, true, false, value))
    return widened


def _tests_family(program: Sequence[Instruction], position: int) -> bool:
    """Whether this instruction compares the word that the one before it loaded from offset 0."""
    code, _, _, k = program[position - 1]
    return program[position][0] == machine.JUMP_EQUAL_CONSTANT and (code, k) == LOAD_FAMILY


def _compared_families(link_type: int) -> dict[int, list[int]]:
    """The constant that libpcap compares with, as loaded in network order → those to accept."""
    here = sys.byteorder if link_type in HOST_ORDER_TYPES else "big"
    orders = ("little", "big") if link_type in HOST_ORDER_TYPES else ("big",)
    return {
        _loaded(family, here): [_loaded(number, order) for number in numbers for order in orders]
        for family, numbers in FAMILIES.items()
    }


def _loaded(family: int, order: str) -> int:
    """What a load in network order yields where `family` was written in this byte order."""
    return int.from_bytes(family.to_bytes(4, "little" if order == "little" else "big"), "big")
