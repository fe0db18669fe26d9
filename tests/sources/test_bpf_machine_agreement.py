"""The classic BPF machine over programs made at random: three others must give the same values."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpsnoop.sources import bpf_machine
from tcpsnoop.sources.bpf_program import CODES, Instruction
from tests.sources.bpf_reference import INTERPRETED, LOW, Reference, RejectedError, accepts, leaves

JUMP_ALWAYS, RETURN_CONSTANT, RETURN_ACCUMULATOR = 0x05, 0x06, 0x16
DIVIDE, MODULO, SHIFTS = 0x34, 0x94, (0x64, 0x74)
OF_SCRATCH = (0x02, 0x03, 0x60, 0x61)
OF_PACKET = (0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xB1)
EMPTY_SCRATCH: list[Instruction] = [(0x02, 0, 0, word) for word in range(16)]

constants = st.one_of(
    st.integers(0, 20),
    st.integers(0, LOW),
    st.sampled_from([31, 32, 33, 0x7FFFFFFF, 0x80000000, LOW - 1, LOW]),
)


# Mostly such that the program goes on: a packet that ends early, or a far offset, hides the rest.
packets = st.one_of(st.binary(min_size=40, max_size=48), st.binary(max_size=24))
offsets = st.one_of(*[st.integers(0, 12)] * 9, constants)


@st.composite
def programs(draw: st.DrawFn, *, loops: bool = True, shifts: int = LOW) -> list[Instruction]:
    """Registers set, then up to 14 instructions of every code that may run and do not return.

    With `loops` they may jump backwards; constants to shift by are at most `shifts`.
    """
    count = draw(st.integers(1, 14))
    start: list[Instruction] = [(0x00, 0, 0, draw(constants)), (0x01, 0, 0, draw(offsets))]
    program: list[Instruction] = []
    for position in range(count):
        code = draw(st.sampled_from(sorted(CODES - {RETURN_CONSTANT, RETURN_ACCUMULATOR})))
        jt, jf, k = 0, 0, draw(constants)
        left = count - position - 1
        if code == JUMP_ALWAYS:
            k = draw(st.integers(-position - 1 if loops else 0, left))
        elif code & 0x07 == JUMP_ALWAYS:
            jt, jf = draw(st.integers(0, left)), draw(st.integers(0, left))
        elif code in OF_SCRATCH:
            k %= 16
        elif code in OF_PACKET:
            k = draw(offsets)
        elif code in (DIVIDE, MODULO):
            k = max(k, 1)
        elif code in SHIFTS:
            k = min(k, shifts)
        program.append((code, jt, jf, k))
    return [*start, *program]


@settings(max_examples=500)
@given(programs(), packets, st.integers(48, 70000))
def test_compiled_interpreted_and_reference_agree(
    program: list[Instruction], packet: bytes, original: int
) -> None:
    try:
        ends = leaves(Reference(packet, original).result([*program, (RETURN_ACCUMULATOR, 0, 0, 0)]))
        accepted = True
    except RejectedError:
        ends, accepted = [(RETURN_CONSTANT, 0, 0, 1)], False
    assert accepts(bpf_machine, [*program, *ends], [packet], original) == [accepted]
    assert accepts(INTERPRETED, [*program, *ends], [packet], original) == [accepted]


class BpfInsn(ctypes.Structure):
    """An instruction as libpcap has it: struct bpf_insn of pcap/bpf.h."""

    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


@pytest.fixture(scope="module")
def bpf_filter() -> Any:
    """The interpreter in user space of the system's libpcap: (instructions, packet, wire, size)."""
    name = ctypes.util.find_library("pcap")
    if name is None:
        pytest.skip("needs libpcap as a shared library")
    function = ctypes.CDLL(name).bpf_filter
    function.restype = ctypes.c_uint
    return function


# Only what C defines: libpcap's scratch memory is not empty, a shift by 32 is anything, and how
# many loops it allows depends on its version.
@settings(max_examples=500)
@given(programs(loops=False, shifts=31), packets, st.integers(48, 70000))
def test_agrees_with_the_interpreter_of_libpcap(
    bpf_filter: Any, program: list[Instruction], packet: bytes, original: int
) -> None:
    start = [*EMPTY_SCRATCH, *program]
    whole = [*start, (RETURN_ACCUMULATOR, 0, 0, 0)]
    native = (BpfInsn * len(whole))(*(BpfInsn(*instruction) for instruction in whole))
    returned = bpf_filter(native, packet, original, len(packet))
    assert accepts(bpf_machine, whole, [packet], original) == [returned != 0]
    if returned:
        assert accepts(bpf_machine, [*start, *leaves(returned)], [packet], original) == [True]
