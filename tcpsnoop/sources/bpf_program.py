"""A filter program of the classic BPF machine, checked so that it can be run as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tcpsnoop.sources import bpf_machine as machine
from tcpsnoop.sources.bpf_machine import Words

Instruction = tuple[int, int, int, int]
"""code, jt, jf, k. Distances count from the next instruction; that of `ja` is its k, signed."""

_OPERANDS = (0, machine.OPERAND_INDEX)
_SIZES = (machine.WORD_SIZE, machine.HALF_SIZE, machine.BYTE_SIZE)
_REGISTERS = (machine.LOAD, machine.LOAD_INDEX)
_SCRATCH_CODES = frozenset(
    {machine.STORE, machine.STORE_INDEX, *(machine.SCRATCH | into for into in _REGISTERS)}
)
_DIVISIONS = frozenset({machine.ALU | machine.DIVIDE, machine.ALU | machine.MODULO})
CODES = frozenset(
    {machine.LOAD | machine.PACKET | size for size in _SIZES}
    | {machine.LOAD | machine.PACKET_AT_INDEX | size for size in _SIZES}
    | {machine.CONSTANT | into for into in _REGISTERS}
    | {machine.LENGTH | into for into in _REGISTERS}
    | _SCRATCH_CODES
    | {machine.ALU | operation | x for operation in range(0x00, 0xB0, 0x10) for x in _OPERANDS}
    | {machine.JUMP | test | x for test in range(0x10, 0x50, 0x10) for x in _OPERANDS}
    | {machine.INDEX_HEADER_LENGTH, machine.JUMP_ALWAYS}
    | {machine.RETURN_CONSTANT, machine.RETURN_ACCUMULATOR}
    | {machine.INDEX_FROM_ACCUMULATOR, machine.ACCUMULATOR_FROM_INDEX}
) - {machine.ALU | machine.NEGATE | machine.OPERAND_INDEX}
"""Every instruction of classic BPF; arithmetic is ADD to XOR, tests are EQUAL to ANY_BIT."""


@dataclass(frozen=True, eq=False)
class FilterProgram:
    """Instructions as columns of one length; what a row means, `Instruction` says.

    ValueError when the machine could not run it safely: an unknown code, a jump or a scratch word
    out of range, a constant division by zero, or no `ret` at the end.
    """

    code: Words
    jt: Words
    jf: Words
    k: Words

    def __post_init__(self) -> None:
        rows = self.instructions()
        if not rows or rows[-1][0] & machine.CLASS != machine.RETURN:
            raise ValueError("a filter program must end in ret")
        for position, row in enumerate(rows):
            fault = _fault(row, position, len(rows))
            if fault:
                raise ValueError(f"filter program, instruction {position}: {fault}")

    @classmethod
    def of(cls, instructions: Sequence[Instruction]) -> Self:
        """The program made of these instructions."""
        rows = np.array(instructions, np.int64).reshape(-1, 4)
        return cls(*(np.ascontiguousarray(column) for column in rows.T))

    def instructions(self) -> list[Instruction]:
        """The program, row by row."""
        columns = (column.tolist() for column in (self.code, self.jt, self.jf, self.k))
        return list(zip(*columns, strict=True))


def _fault(instruction: Instruction, position: int, count: int) -> str:
    """What makes an instruction unfit to run; empty for a good one."""
    code, jt, jf, k = instruction
    if code not in CODES:
        return f"unknown code {code:#x}"
    if code == machine.JUMP_ALWAYS:
        return "" if 0 <= position + 1 + k < count else f"jumps by {k}, out of the program"
    if not 0 <= k <= machine.WORD:
        return f"constant {k} is not a word of 32 bits"
    if code in _SCRATCH_CODES and k >= machine.SCRATCH_WORDS:
        return f"no scratch word {k}"
    if code in _DIVISIONS and k == 0:
        return "division by zero"
    if code & machine.CLASS == machine.JUMP:
        for distance in (jt, jf):
            if not 0 <= distance < count - position - 1:
                return f"jumps by {distance}, backwards or out of the program"
    return ""
