"""What the classic BPF machine is compared with: itself uncompiled, and one written for reading.

Numbers are those of linux/bpf_common.h, meanings those of McCanne and Jacobson, 1993, table 1.
"""

from __future__ import annotations

import importlib.util
import operator
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np
import pytest

from tcpsnoop.sources.bpf_program import FilterProgram, Instruction

LOW = 0xFFFFFFFF
"""The highest word."""

PACKET = bytes.fromhex("45 00 80 81 ff fe 06 ca fe ba be")
"""Eleven bytes with high bits set, and 5 in the low half of the first."""


def interpreted_machine() -> ModuleType:
    """The module of the machine once more, its kernels left as plain functions."""
    spec = importlib.util.find_spec("tcpsnoop.sources.bpf_machine")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TCPSNOOP_INTERPRET", "1")
        spec.loader.exec_module(module)
    return module


INTERPRETED = interpreted_machine()


def accepts(
    machine: ModuleType,
    instructions: Sequence[Instruction],
    packets: Sequence[bytes] = (PACKET,),
    original: int = 1500,
) -> list[bool]:
    """Which of the packets, side by side in one buffer, the program accepts."""
    originals = [original] * len(packets)
    return run(machine, FilterProgram.of(instructions), packets, originals)


def run(
    machine: ModuleType,
    program: FilterProgram,
    packets: Sequence[bytes],
    originals: Sequence[int],
) -> list[bool]:
    """The same for packets that have different lengths on the wire."""
    captured = np.array([len(packet) for packet in packets], np.int64)
    passed = np.zeros(len(packets), np.bool_)
    machine.run_filter(
        program.code,
        program.jt,
        program.jf,
        program.k,
        np.frombuffer(b"".join(packets), np.uint8),
        np.cumsum(captured) - captured,
        captured,
        np.array(originals, np.int64),
        passed,
    )
    return [bool(one) for one in passed]


def leaves(expected: int) -> list[Instruction]:
    """An end of a program that accepts when just this value is in the accumulator."""
    return [(0x15, 0, 1, expected), (0x06, 0, 0, 1), (0x06, 0, 0, 0)]


class RejectedError(Exception):
    """The packet ended before a load, zero divided something, or jumps went in circles."""


ARITHMETIC: list[Callable[[int, int], int]] = [
    *(operator.add, operator.sub, operator.mul, operator.floordiv, operator.or_, operator.and_),
    lambda a, b: a << min(b, 32),
    lambda a, b: a >> min(b, 32),
    lambda a, _: -a,
    *(operator.mod, operator.xor),
]
TESTS: list[Callable[[int, int], object]] = [operator.eq, operator.gt, operator.ge, operator.and_]


class Reference:
    """The machine in Python's own integers, an instruction at a time, for one packet."""

    def __init__(self, packet: bytes, original: int) -> None:
        self.packet, self.original = packet, original
        self.a, self.x, self.memory, self.position, self.returns = 0, 0, [0] * 16, 0, 64

    def result(self, program: Sequence[Instruction]) -> int:
        """What the program returns; raises RejectedError."""
        while True:
            code, jt, jf, k = program[self.position]
            self.position += 1
            operand = self.x if code & 0x08 else k
            match code & 0x07:
                case 0:
                    self.a = self.loaded(code, k)
                case 1:
                    self.x = self.loaded(code, k)
                case 2 | 3:
                    self.memory[k] = self.x if code & 1 else self.a
                case 4:
                    self.calculate(code >> 4, operand)
                case 5:
                    self.jump(code >> 4, operand, jt, jf)
                case 6:
                    return self.a if code == 0x16 else k
                case _:
                    self.a, self.x = (self.x, self.x) if code == 0x87 else (self.a, self.a)

    def loaded(self, code: int, k: int) -> int:
        match code >> 5:
            case 0:
                return k
            case 1:
                return self.read(k, code)
            case 2:
                return self.read(self.x + k, code)
            case 3:
                return self.memory[k]
            case 4:
                return self.original
            case _:
                return 4 * (self.read(k, code) % 16)

    def read(self, at: int, code: int) -> int:
        width = {0x00: 4, 0x08: 2, 0x10: 1}[code & 0x18]
        found = self.packet[at : at + width]
        if len(found) < width:
            raise RejectedError
        return int.from_bytes(found, "big")

    def calculate(self, operation: int, operand: int) -> None:
        try:
            self.a = ARITHMETIC[operation](self.a, operand) & LOW
        except ZeroDivisionError as error:
            raise RejectedError from error

    def jump(self, test: int, operand: int, jt: int, jf: int) -> None:
        if test:
            self.position += jt if TESTS[test - 1](self.a, operand) else jf
            return
        self.position += operand
        self.returns -= operand < 0
        if self.returns < 0:
            raise RejectedError
