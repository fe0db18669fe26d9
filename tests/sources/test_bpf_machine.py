"""The classic BPF machine: each instruction, hostile programs and packets, compiled and plain.

What an instruction does is written here from its definition (McCanne and Jacobson, 1993, table 1;
filter.h and bpf(4) for `mod` and `xor`), with the numbers of linux/bpf_common.h.
"""

from __future__ import annotations

import os
from types import ModuleType

import numpy as np
import pytest

from tcpsnoop.sources import bpf_machine
from tcpsnoop.sources.bpf_program import FilterProgram, Instruction
from tests.sources.bpf_reference import INTERPRETED, LOW, PACKET, accepts, leaves

LD = {"ld #": 0x00, "ld": 0x20, "ld x+": 0x40, "ld M": 0x60, "ld len": 0x80}
LD |= {"ldh": 0x28, "ldh x+": 0x48, "ldb": 0x30, "ldb x+": 0x50}
LDX = {"ldx #": 0x01, "ldx M": 0x61, "ldx len": 0x81, "ldxb 4*": 0xB1}
ST = {"st": 0x02, "stx": 0x03}
ALU = {"add": 0x04, "sub": 0x14, "mul": 0x24, "div": 0x34, "or": 0x44, "and": 0x54}
ALU |= {"lsh": 0x64, "rsh": 0x74, "mod": 0x94, "xor": 0xA4}
TEST = {"jeq": 0x15, "jgt": 0x25, "jge": 0x35, "jset": 0x45}
JA, NEG, RET, RET_A, TAX, TXA, BY_X = 0x05, 0x84, 0x06, 0x16, 0x07, 0x87, 0x08

MACHINES = [
    pytest.param(bpf_machine, id="compiled"),
    pytest.param(INTERPRETED, id="interpreted"),
]


def const(value: int) -> Instruction:
    return (LD["ld #"], 0, 0, value)


def index(value: int) -> Instruction:
    return (LDX["ldx #"], 0, 0, value)


@pytest.mark.skipif(os.environ.get("TCPSNOOP_INTERPRET") == "1", reason="nothing is compiled")
def test_both_machines_are_what_they_are_called() -> None:
    """Comparing a function with itself would prove nothing."""
    assert hasattr(bpf_machine.filter_batch, "py_func")
    assert not hasattr(INTERPRETED.filter_batch, "py_func")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("load", "k", "x", "expected"),
    [
        ("ld", 0, 3, 0x45008081),
        ("ld", 4, 0xFFFFFFFF, 0xFFFE06CA),
        ("ld", 7, 0, 0xCAFEBABE),  # the last word of eleven bytes
        ("ldh", 2, 3, 0x8081),
        ("ldh", 9, 0, 0xBABE),
        ("ldb", 4, 3, 0xFF),
        ("ldb", 10, 0, 0xBE),
        ("ld x+", 3, 4, 0xCAFEBABE),
        ("ldh x+", 2, 2, 0xFFFE),
        ("ldb x+", 0, 10, 0xBE),
        ("ld #", 0xDEADBEEF, 3, 0xDEADBEEF),
        ("ld len", 0, 3, 1500),
        ("ld M", 15, 0, 0),  # scratch memory starts empty
    ],
)
def test_loads(machine: ModuleType, load: str, k: int, x: int, expected: int) -> None:
    assert accepts(machine, [index(x), (LD[load], 0, 0, k), *leaves(expected)]) == [True]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("load", "k", "x"),
    [
        ("ld", 8, 0),
        ("ldh", 10, 0),
        ("ldb", 11, 0),
        ("ldb", LOW, 0),
        ("ld", LOW - 3, 0),
        ("ld x+", 4, 4),
        ("ldh x+", 0, 10),
        ("ldb x+", 1, 10),
        ("ldb x+", 1, LOW),  # the sum is no offset of 32 bits: libpcap does not wrap it around
        ("ldb x+", LOW, LOW),
        ("ld x+", 0, LOW),
    ],
)
def test_a_load_beyond_the_captured_bytes_rejects(
    machine: ModuleType, load: str, k: int, x: int
) -> None:
    """Though the buffer goes on with the next packet, and the wire length would reach."""
    program = [index(x), (LD[load], 0, 0, k), (RET, 0, 0, 1)]
    assert accepts(machine, program, [PACKET, bytes(64)])[0] is False


@pytest.mark.parametrize("machine", MACHINES)
def test_index_loads_and_transfers(machine: ModuleType) -> None:
    txa = (TXA, 0, 0, 0)
    assert accepts(machine, [(0xB1, 0, 0, 0), txa, *leaves(20)]) == [True]  # 0x45: 5 words
    assert accepts(machine, [(0xB1, 0, 0, 10), txa, *leaves(14 * 4)]) == [True]
    assert accepts(machine, [(0xB1, 0, 0, 11), (RET, 0, 0, 1)]) == [False]
    assert accepts(machine, [(LDX["ldx len"], 0, 0, 0), txa, *leaves(1500)]) == [True]
    assert accepts(machine, [index(LOW), txa, *leaves(LOW)]) == [True]
    assert accepts(machine, [const(7), (TAX, 0, 0, 0), const(9), txa, *leaves(7)]) == [True]


@pytest.mark.parametrize("machine", MACHINES)
def test_scratch_memory_holds_sixteen_words_and_is_empty_for_each_packet(
    machine: ModuleType,
) -> None:
    stores: list[Instruction] = []
    for word in range(0, 16, 2):
        stores += [const(100 + word), (ST["st"], 0, 0, word)]
        stores += [index(101 + word), (ST["stx"], 0, 0, word + 1)]
    for word in range(16):
        assert accepts(machine, [*stores, (LD["ld M"], 0, 0, word), *leaves(100 + word)]) == [True]
        read = [(LDX["ldx M"], 0, 0, word), (TXA, 0, 0, 0)]
        assert accepts(machine, [*stores, *read, *leaves(100 + word)]) == [True]
    # Accepts when word 3 is still 0, then writes there: a second packet must not see it.
    first = [(LD["ld M"], 0, 0, 3), (0x15, 1, 0, 0), (RET, 0, 0, 0)]
    then = [const(1), (ST["st"], 0, 0, 3), (RET, 0, 0, 1)]
    assert accepts(machine, [*first, *then], [PACKET, PACKET]) == [True, True]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("by_index", [False, True])
@pytest.mark.parametrize(
    ("operation", "a", "b", "expected"),
    [
        ("add", 3, 4, 7),
        ("add", LOW, 2, 1),
        ("sub", 3, 4, LOW),
        ("sub", 0, LOW, 1),
        ("mul", 0x10001, 0x10001, 0x20001),  # 0x1_0002_0001
        ("mul", LOW, LOW, 1),  # (-1) * (-1)
        ("mul", 0x80000000, 3, 0x80000000),
        ("div", 7, 2, 3),
        ("div", LOW, 0x80000000, 1),  # unsigned
        ("mod", 7, 4, 3),
        ("mod", LOW, 10, 5),  # 4294967295
        ("or", 0xF0F00000, 0x0F0F, 0xF0F00F0F),
        ("and", 0xFFFF0000, 0x80018001, 0x80010000),
        ("xor", 0xFFFF0000, 0x80018001, 0x7FFE8001),
        ("lsh", 1, 31, 0x80000000),
        ("lsh", LOW, 4, 0xFFFFFFF0),
        ("lsh", LOW, 32, 0),
        ("lsh", LOW, LOW, 0),
        ("rsh", LOW, 31, 1),  # logical, no sign
        ("rsh", LOW, 32, 0),
        ("rsh", LOW, 64, 0),
    ],
)
def test_arithmetic_is_unsigned_and_of_32_bits(
    machine: ModuleType, operation: str, a: int, b: int, expected: int, by_index: bool
) -> None:
    operand = [index(b), (ALU[operation] | BY_X, 0, 0, 0)] if by_index else []
    program = [const(a), *(operand or [(ALU[operation], 0, 0, b)]), *leaves(expected)]
    assert accepts(machine, program) == [True]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("a", "expected"), [(0, 0), (1, LOW), (0x80000000, 0x80000000), (LOW, 1)])
def test_negation(machine: ModuleType, a: int, expected: int) -> None:
    assert accepts(machine, [const(a), (NEG, 0, 0, 0), *leaves(expected)]) == [True]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("operation", ["div", "mod"])
def test_division_by_an_index_of_zero_rejects(machine: ModuleType, operation: str) -> None:
    program = [const(5), index(0), (ALU[operation] | BY_X, 0, 0, 0), (RET, 0, 0, 1)]
    assert accepts(machine, program) == [False]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("by_index", [False, True])
@pytest.mark.parametrize(
    ("test", "a", "b", "met"),
    [
        ("jeq", 5, 5, True),
        ("jeq", 5, 6, False),
        ("jgt", 6, 5, True),
        ("jgt", 5, 5, False),
        ("jgt", LOW, 5, True),  # unsigned
        ("jge", 5, 5, True),
        ("jge", 4, 5, False),
        ("jge", 0x80000000, 0x7FFFFFFF, True),
        ("jset", 6, 3, True),
        ("jset", 4, 3, False),
    ],
)
def test_conditional_jumps(
    machine: ModuleType, test: str, a: int, b: int, met: bool, by_index: bool
) -> None:
    code = TEST[test] | BY_X if by_index else TEST[test]
    start = [const(a), index(b), (code, 1, 2, 0 if by_index else b)]
    assert accepts(machine, [*start, (RET, 0, 0, 0), (RET, 0, 0, 1), (RET, 0, 0, 0)]) == [met]


@pytest.mark.parametrize("machine", MACHINES)
def test_return_accepts_by_any_value_but_zero(machine: ModuleType) -> None:
    assert accepts(machine, [(RET, 0, 0, 0)]) == [False]
    assert accepts(machine, [(RET, 0, 0, LOW)]) == [True]
    assert accepts(machine, [(RET_A, 0, 0, 1)]) == [False]  # registers start at 0
    assert accepts(machine, [const(0x80000000), (RET_A, 0, 0, 0)]) == [True]


@pytest.mark.parametrize("machine", MACHINES)
def test_unconditional_jumps(machine: ModuleType) -> None:
    assert accepts(machine, [(JA, 0, 0, 1), (RET, 0, 0, 0), (RET, 0, 0, 1)]) == [True]
    # x += 1 until x is `turns`: one jump back less than turns.
    count = [(TXA, 0, 0, 0), (ALU["add"], 0, 0, 1), (TAX, 0, 0, 0)]
    for turns, ends in [(2, True), (65, True), (66, False)]:
        loop = [*count, (0x15, 1, 0, turns), (JA, 0, 0, -5), (RET, 0, 0, 1)]
        assert accepts(machine, loop) == [ends], turns
    assert accepts(machine, [(JA, 0, 0, -1), (RET, 0, 0, 1)]) == [False]


@pytest.mark.parametrize("machine", MACHINES)
def test_length_is_that_of_the_wire_and_else_of_the_captured_bytes(machine: ModuleType) -> None:
    program = [(LD["ld len"], 0, 0, 0), *leaves(11)]
    assert accepts(machine, program, original=11) == [True]
    assert accepts(machine, program, original=12) == [False]
    assert accepts(machine, program, original=-1) == [True]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("offset", "captured"), [(-1, 5), (0, -1), (6, 6), (12, 0), (2**62, 1)])
def test_a_packet_outside_of_the_buffer_is_refused(
    machine: ModuleType, offset: int, captured: int
) -> None:
    program = FilterProgram.of([(RET, 0, 0, 1)])
    where = np.array([offset], np.int64), np.array([captured], np.int64)
    with pytest.raises(IndexError, match="not inside its buffer"):
        machine.run_filter(
            program.code,
            program.jt,
            program.jf,
            program.k,
            np.frombuffer(PACKET, np.uint8),
            *where,
            np.array([60], np.int64),
            np.zeros(1, np.bool_),
        )
