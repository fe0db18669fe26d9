"""The classic BPF machine: one filter program, run over a batch of packets.

Two registers of 32 bits (accumulator and index), 16 words of scratch memory, conditional jumps
that go forward only: McCanne and Jacobson, "The BSD Packet Filter", 1993, section 3.3. Where the
paper is silent, libpcap's interpreter in user space decides, as `tcpdump -r` runs that one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import kernel

Words = NDArray[np.int64]

# An instruction's code is a sum of fields. The lowest one is its class.
CLASS = 0x07
LOAD, LOAD_INDEX, STORE, STORE_INDEX, ALU, JUMP, RETURN, MISC = range(8)

# Loads: how many bytes, and where from. AT_INDEX adds the index register to the offset k.
SIZE = 0x18
WORD_SIZE, HALF_SIZE, BYTE_SIZE = 0x00, 0x08, 0x10
SOURCE = 0xE0
CONSTANT, PACKET, PACKET_AT_INDEX, SCRATCH, LENGTH = 0x00, 0x20, 0x40, 0x60, 0x80
INDEX_HEADER_LENGTH = 0xB1  # four times the low half of a byte: the length of an IPv4 header

# Arithmetic and jumps: the operand is the index register or, without this bit, the constant k.
OPERAND_INDEX = 0x08
OPERATION = 0xF0
ADD, SUBTRACT, MULTIPLY, DIVIDE, OR = 0x00, 0x10, 0x20, 0x30, 0x40
AND, SHIFT_LEFT, SHIFT_RIGHT, NEGATE, MODULO, XOR = 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0
ALWAYS, EQUAL, GREATER, GREATER_OR_EQUAL, ANY_BIT = 0x00, 0x10, 0x20, 0x30, 0x40
JUMP_ALWAYS, JUMP_EQUAL_CONSTANT = JUMP | ALWAYS, JUMP | EQUAL

RETURN_CONSTANT, RETURN_ACCUMULATOR = 0x06, 0x16
INDEX_FROM_ACCUMULATOR, ACCUMULATOR_FROM_INDEX = 0x07, 0x87

SCRATCH_WORDS = 16
WORD = 0xFFFFFFFF
# Only libpcap's `protochain` jumps backwards, once for each header that it skips. It gives up after
# 64 as libpcap does since 1.11 (MAX_BACKWARD_JUMPS); earlier ones went on to the packet's end.
BACKWARD_JUMPS = 64


def run_filter(
    code: Words,
    jt: Words,
    jf: Words,
    k: Words,
    data: NDArray[np.uint8],
    offset: Words,
    captured: Words,
    original: Words,
    passed: NDArray[np.bool_],
) -> None:
    """Write into `passed` whether the program accepts each packet.

    Packet i is `data[offset[i]:offset[i] + captured[i]]`, its length on the wire `original[i]`
    (negative: unknown, taken as captured). As in libpcap, a load beyond the captured bytes or a
    division by zero rejects the packet, and `len` is the length on the wire. The program must be
    that of a `FilterProgram`. IndexError when a packet is not inside `data`.
    """
    scratch = np.zeros(SCRATCH_WORDS, np.int64)
    filter_batch(code, jt, jf, k, data, offset, captured, original, scratch, passed)


@kernel
def filter_batch(
    code: Words,
    jt: Words,
    jf: Words,
    k: Words,
    data: NDArray[np.uint8],
    offset: Words,
    captured: Words,
    original: Words,
    scratch: Words,
    passed: NDArray[np.bool_],
) -> None:
    """`run_filter` for callers that are kernels: they lend SCRATCH_WORDS of scratch memory."""
    # One function: a call for each packet would add a third to the time of `tcp port 80`.
    for packet in range(offset.size):
        start, size = offset[packet], captured[packet]
        if start < 0 or size < 0 or start > data.size - size:
            raise IndexError("a packet is not inside its buffer")
        length = (original[packet] if original[packet] >= 0 else size) & WORD
        accumulator, index, result = np.int64(0), np.int64(0), np.int64(0)
        position, backward = np.int64(0), 0
        scratch[:] = 0
        while True:
            instruction, constant = code[position], k[position]
            if instruction == JUMP_EQUAL_CONSTANT:
                position += jt[position] if accumulator == constant else jf[position]
            elif instruction & ~SIZE == PACKET or instruction & ~SIZE == PACKET_AT_INDEX:
                at = constant if instruction & ~SIZE == PACKET else constant + index
                width = 4 >> ((instruction & SIZE) >> 3)
                if is_outside(at, width, size):
                    break
                accumulator = number(data, start + at, width)
            elif instruction == INDEX_HEADER_LENGTH:
                if is_outside(constant, 1, size):
                    break
                index = (np.int64(data[start + constant]) & 0x0F) << 2
            elif instruction == JUMP_ALWAYS:
                backward += constant < 0
                if backward > BACKWARD_JUMPS:
                    break
                position += constant
            elif instruction & CLASS == JUMP:
                operand = index if instruction & OPERAND_INDEX else constant
                met = compare(instruction & OPERATION, accumulator, operand)
                position += jt[position] if met else jf[position]
            elif instruction & CLASS == ALU:
                operand = index if instruction & OPERAND_INDEX else constant
                accumulator = calculate(instruction & OPERATION, accumulator, operand)
                if accumulator < 0:
                    break
            elif instruction & CLASS == RETURN:
                result = accumulator if instruction == RETURN_ACCUMULATOR else constant
                break
            else:
                accumulator, index = move(
                    instruction, accumulator, index, constant, length, scratch
                )
            position += 1
        passed[packet] = result != 0


@kernel
def is_outside(at: Any, width: Any, size: Any) -> Any:
    """Whether any of the `width` bytes at offset `at` is not among the first `size` bytes."""
    return at < 0 or at > size - width


@kernel
def number(data: NDArray[np.uint8], first: Any, width: Any) -> Any:
    """`width` bytes (1, 2 or 4) in network order, unsigned."""
    value = np.int64(data[first])
    if width == 1:
        return value
    value = value << 8 | np.int64(data[first + 1])
    if width == 2:
        return value
    return value << 16 | np.int64(data[first + 2]) << 8 | np.int64(data[first + 3])


@kernel
def compare(test: Any, accumulator: Any, operand: Any) -> Any:
    """Whether a conditional jump's test is met."""
    if test == EQUAL:
        return accumulator == operand
    if test == GREATER:
        return accumulator > operand
    if test == GREATER_OR_EQUAL:
        return accumulator >= operand
    return accumulator & operand != 0


@kernel
def calculate(operation: Any, accumulator: Any, operand: Any) -> Any:
    """Unsigned arithmetic of 32 bits; -1 for a division by zero. A shift by 32 or more gives 0."""
    if operation == AND:
        return accumulator & operand
    if operation == ADD:
        return (accumulator + operand) & WORD
    if operation == SUBTRACT:
        return (accumulator - operand) & WORD
    if operation == SHIFT_LEFT:
        return (accumulator << operand) & WORD if operand < 32 else np.int64(0)
    if operation == SHIFT_RIGHT:
        return accumulator >> operand if operand < 32 else np.int64(0)
    if operation == OR:
        return accumulator | operand
    if operation == XOR:
        return accumulator ^ operand
    if operation == NEGATE:
        return -accumulator & WORD
    if operation == MULTIPLY:
        # In two halves: a whole product does not fit an int64.
        upper = accumulator * (operand >> 16) & 0xFFFF
        return (accumulator * (operand & 0xFFFF) + (upper << 16)) & WORD
    if operand == 0:
        return np.int64(-1)
    return accumulator // operand if operation == DIVIDE else accumulator % operand


@kernel
def move(
    instruction: Any, accumulator: Any, index: Any, constant: Any, length: Any, scratch: Words
) -> Any:
    """Both registers after an instruction that only moves a value, to them or to scratch memory."""
    if instruction == INDEX_FROM_ACCUMULATOR:
        return accumulator, accumulator
    if instruction == ACCUMULATOR_FROM_INDEX:
        return index, index
    if instruction == STORE:
        scratch[constant] = accumulator
        return accumulator, index
    if instruction == STORE_INDEX:
        scratch[constant] = index
        return accumulator, index
    source = instruction & SOURCE
    if source == SCRATCH:
        value = scratch[constant]
    else:
        value = length if source == LENGTH else constant
    return (value, index) if instruction & CLASS == LOAD else (accumulator, value)
