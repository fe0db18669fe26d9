"""The owners that were ever answered, each once, and how many ends have each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tcpsnoop.batches.owner_table import OwnerTable
from tcpsnoop.batches.owners import NOT_ASKED, Owner


class OwnerPool:
    """Owners by code; `owners` only grows, as OwnerColumns asks."""

    def __init__(self) -> None:
        self.owners = OwnerTable()
        self._codes: dict[Owner, int] = {NOT_ASKED: 0}
        self._ends: Counter[int] = Counter()

    def code(self, owner: Owner) -> int:
        """The code of an owner, a new one if need be."""
        code = self._codes.get(owner)
        if code is None:
            code = self._codes[owner] = self.owners.append(owner)
        return code

    def count(self, old: int | None, new: int) -> None:
        """An end has the owner `new` now; `old` before, None when the end is new."""
        if old is not None:
            self._ends[old] -= 1
        self._ends[new] += 1

    @property
    def ends(self) -> int:
        """How many ends were counted."""
        return self._ends.total()

    def by_quality(self) -> Counter[str]:
        """How many ends have each quality."""
        return self._sum(lambda owner: owner.quality)

    def by_reason(self) -> Counter[str]:
        """How many ends are unknown, for each reason."""
        return self._sum(lambda owner: owner.reason)

    def _sum(self, name: Callable[[Owner], str]) -> Counter[str]:
        sums: Counter[str] = Counter()
        for code, count in self._ends.items():
            if count:
                sums[name(self.owners[code])] += count
        sums.pop("", None)
        return sums
