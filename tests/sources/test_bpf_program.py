"""Filter programs: what is refused, because the machine could not run it safely."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.sources.bpf_program import CODES, FilterProgram, Instruction

ACCEPT: Instruction = (0x06, 0, 0, 1)


def test_the_instructions_are_those_of_classic_bpf() -> None:
    """Counted in the list of McCanne and Jacobson, with the later `mod` and `xor`.

    Loads of the packet: three sizes, two ways. Both registers from a constant, from scratch memory
    and from the length: six; `ldxb 4*([k]&0xf)`; two stores. Ten binary operations and four tests,
    each with a constant or the index register; `neg`; `ja`; two returns; two transfers.
    """
    assert len(CODES) == 3 * 2 + 6 + 1 + 2 + 10 * 2 + 4 * 2 + 1 + 1 + 2 + 2


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_instruction_is_taken(code: int) -> None:
    program = FilterProgram.of([(code, 0, 0, 1), ACCEPT, ACCEPT])
    assert program.instructions() == [(code, 0, 0, 1), ACCEPT, ACCEPT]


@pytest.mark.parametrize(
    ("instructions", "fault"),
    [
        ([], "must end in ret"),
        ([(0x00, 0, 0, 1)], "must end in ret"),
        ([ACCEPT, (0x05, 0, 0, -2)], "must end in ret"),
        ([(0x0E, 0, 0, 0), ACCEPT], "instruction 0: unknown code 0xe"),
        ([ACCEPT, (0x8C, 0, 0, 0), ACCEPT], "instruction 1: unknown code 0x8c"),
        ([(0x100, 0, 0, 0), ACCEPT], "unknown code 0x100"),
        ([(0x20, 0, 0, -1), ACCEPT], "not a word"),
        ([(0x20, 0, 0, 2**32), ACCEPT], "not a word"),
        ([(0x02, 0, 0, 16), ACCEPT], "no scratch word 16"),
        ([(0x03, 0, 0, 16), ACCEPT], "no scratch word 16"),
        ([(0x60, 0, 0, 16), ACCEPT], "no scratch word 16"),
        ([(0x61, 0, 0, 16), ACCEPT], "no scratch word 16"),
        ([(0x34, 0, 0, 0), ACCEPT], "division by zero"),
        ([(0x94, 0, 0, 0), ACCEPT], "division by zero"),
        ([(0x15, 1, 0, 0), ACCEPT], "jumps by 1"),
        ([(0x45, 0, 1, 0), ACCEPT], "jumps by 1"),
        ([(0x15, 0, -1, 0), ACCEPT], "jumps by -1"),
        ([(0x05, 0, 0, 1), ACCEPT], "jumps by 1"),
        ([ACCEPT, (0x05, 0, 0, -3), ACCEPT], "jumps by -3"),
    ],
)
def test_what_cannot_run_safely_is_refused(instructions: list[Instruction], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        FilterProgram.of(instructions)


def test_limits_that_are_still_good() -> None:
    program = [(0x02, 0, 0, 15), (0x15, 1, 0, 2**32 - 1), (0x05, 0, 0, -3), ACCEPT]
    assert FilterProgram.of(program).instructions() == program


def test_columns_of_different_length_are_refused() -> None:
    one, two = np.array([6], np.int64), np.array([6, 6], np.int64)
    with pytest.raises(ValueError, match="shorter"):
        FilterProgram(two, one, one, one)
