"""Sets of a few labels, each set the bits of an integer: `np.bitwise_or` merges them by column."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Label = TypeVar("Label", bound=Hashable)


class Labels(Generic[Label]):
    """Gives each label one of `bits` bits; when these are few the last ones are all `beyond`."""

    def __init__(self, beyond: Label, bits: int = 63) -> None:
        self._labels: list[Label] = []
        self._beyond = beyond
        self._bits = bits

    def bit(self, label: Label) -> int:
        """The integer in which only the label's bit is set."""
        if label not in self._labels:
            if len(self._labels) >= self._bits - 1:
                label = self._beyond
            if label not in self._labels:
                self._labels.append(label)
        return 1 << self._labels.index(label)

    def of(self, bits: int) -> list[Label]:
        """The labels of a set."""
        return [label for number, label in enumerate(self._labels) if bits >> number & 1]

    def translated(self, sets: NDArray[np.int64], other: Labels[Label]) -> NDArray[np.int64]:
        """Sets that `other` gave, with the bits they have here."""
        different, place = np.unique(sets, return_inverse=True)
        here = [sum(self.bit(label) for label in other.of(bits)) for bits in different.tolist()]
        return np.array(here, np.int64)[place]
