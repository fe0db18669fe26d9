"""What owners' processes have besides names, in columns: contexts and cgroups by number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.cgroups import container_of, unit_of
from tcpsnoop.batches.numbered import NONE, Numbered, Texts
from tcpsnoop.batches.owners import Context
from tcpsnoop.batches.rows import chosen

CONTEXT = np.dtype(
    [
        ("network_namespace", "i8"),  # NONE unknown, as all of these
        ("parent_pid", "i4"),
        ("user", "i4"),  # index into `texts`, as the others
        ("executable", "i4"),
        ("parent_command", "i4"),
    ],
    align=True,
)
_TEXTS = ("user", "executable", "parent_command")
PLACE = np.dtype([("unit", "i4"), ("container", "i4")])  # indices into `texts`, NONE: none


class ContextTable:
    """Contexts by number, and their rows of CONTEXT."""

    def __init__(self) -> None:
        self.texts = Texts()
        self._contexts = Numbered[Context]()
        self._rows = _Rows(CONTEXT)

    def number(self, context: Context) -> int:
        """The number of a context."""
        number = self._contexts.number(context)
        if number == len(self._rows):
            row = self._rows.add()
            row["network_namespace"] = context.network_namespace or NONE
            row["parent_pid"] = context.parent_pid
            for name in _TEXTS:
                row[name] = self.texts.number_or_none(getattr(context, name))
        return number

    def __getitem__(self, number: int) -> Context:
        return self._contexts[number]

    def rows(self, numbers: NDArray[np.integer]) -> NDArray[np.void]:
        """Rows of CONTEXT of these numbers; of NONE all is unknown."""
        return self._rows.take(numbers)


class CgroupTable:
    """Paths of cgroups by number, and their rows of PLACE."""

    def __init__(self) -> None:
        self.texts = Texts()
        self._paths = Texts()
        self._rows = _Rows(PLACE)

    def number(self, path: str) -> int:
        """The number of a path."""
        number = self._paths.number(path)
        if number == len(self._rows):
            row = self._rows.add()
            row["unit"] = self.texts.number_or_none(unit_of(path))
            row["container"] = self.texts.number_or_none(container_of(path))
        return number

    def __getitem__(self, number: int) -> str:
        return self._paths[number]

    def rows(self, numbers: NDArray[np.integer]) -> NDArray[np.void]:
        """Rows of PLACE of these numbers; of NONE all is unknown."""
        return self._rows.take(numbers)


class _Rows:
    """Rows that grow, behind one in which every number is NONE."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._rows = np.zeros(16, dtype)
        self._count = 0
        self.add()

    def __len__(self) -> int:
        """How many there are besides the first."""
        return self._count - 1

    def add(self) -> NDArray[np.void]:
        """A new row, to be filled."""
        if self._count == len(self._rows):
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
        row: NDArray[np.void] = self._rows[self._count]
        for name in row.dtype.names or ():
            row[name] = NONE
        self._count += 1
        return row

    def take(self, numbers: NDArray[np.integer]) -> NDArray[np.void]:
        """The rows of these numbers."""
        found: NDArray[np.void] = chosen(self._rows, numbers + 1)
        return found
