"""From literals and fields to operations: the part of a row program that is done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.formatting.fields import Field, Style
from tcpsnoop.formatting.operations import LONGEST, NOTHING, OPERATION, SLOTS
from tcpsnoop.formatting.words import SLACK, Words, bytes_with_slack, words_of


@dataclass(frozen=True)
class Load:
    """Which column's values stand where in the matrix, and for which operation."""

    field: Field
    slot: int

    @property
    def end(self) -> int:
        """The first slot after them."""
        return self.slot + SLOTS[self.field.code]


@dataclass(frozen=True)
class CompiledRow:
    """What the kernel needs of a row: `write_rows` says what each is."""

    operations: NDArray[np.void]
    literals: Words
    loads: tuple[Load, ...]
    room: int

    @property
    def slots(self) -> int:
        """Rows of the matrix."""
        return max((load.end for load in self.loads), default=1)


def compile_row(parts: Sequence[str | Field], style: Style) -> CompiledRow:
    """Each field becomes an operation with the literals before it; its stand-in comes next."""
    compiler = _Compiler(style)
    for part in parts:
        if isinstance(part, str):
            compiler.pending += part
        else:
            compiler.add_field(part)
    compiler.add(NOTHING)
    return CompiledRow(
        np.concatenate(compiler.operations),
        words_of(bytes_with_slack(bytes(compiler.literals))),
        tuple(compiler.loads.values()),
        compiler.longest + SLACK,
    )


class _Compiler:
    def __init__(self, style: Style) -> None:
        self.pending = ""  # literals since the last operation
        self.literals = bytearray(style.unknown.encode())
        self.operations: list[NDArray[np.void]] = []
        self.loads: dict[
            tuple[str, int, int, int], Load
        ] = {}  # fields of the same values share them
        self.longest = 0
        self._unknown = len(self.literals)
        self._mark = ord(style.mark) if style.mark else 0

    def add_field(self, field: Field) -> None:
        key = field.column, field.code, field.unit, field.decimals
        if key not in self.loads:
            slot = max((load.end for load in self.loads.values()), default=0)
            self.loads[key] = Load(field, slot)
        self.add(field.code, self.loads[key].slot, field)
        if field.otherwise is not None:
            operation = self.operations[-1]
            before = len(self.operations)
            self.add_field(field.otherwise)
            operation["otherwise"] = len(self.operations) - before

    def add(self, code: int, slot: int = 0, field: Field | None = None) -> None:
        literal = self.pending.encode()
        self.pending = ""
        operation = np.zeros(1, OPERATION)
        operation["code"] = code
        operation["slot"] = slot
        operation["literal"] = len(self.literals)
        operation["literal_bytes"] = len(literal)
        operation["unknown_bytes"] = self._unknown
        operation["quote"] = self._mark
        if field is not None:
            operation["width"] = field.width
            operation["left"] = field.left
            operation["brackets"] = field.brackets
            self.longest += field.width
        self.literals += literal
        self.longest += len(literal) + max(LONGEST[code], self._unknown)
        self.operations.append(operation)
