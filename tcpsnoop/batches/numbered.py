"""Different things by number: columns have the numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar, overload

NONE = -1

Item = TypeVar("Item", bound=Hashable)


class Numbered(Sequence[Item], Generic[Item]):
    """Different things by number; it only grows."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._numbers: dict[Item, int] = {}

    def number(self, item: Item) -> int:
        """The number of a thing, a new one if need be."""
        number = self._numbers.setdefault(item, len(self._items))
        if number == len(self._items):
            self._items.append(item)
        return number

    def number_or_none(self, item: Item) -> int:
        """The same, NONE for a thing that is nothing: an empty text."""
        return self.number(item) if item else NONE

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return self._items[index]


Texts = Numbered[str]
