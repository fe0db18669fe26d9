"""Compiled code: bounds."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.kernel import inlined, kernel

pytestmark = pytest.mark.skipif(
    os.environ.get("TCPSNOOP_INTERPRET") == "1", reason="kernels are interpreted"
)


def element(values: NDArray[np.int64], index: int) -> int:
    """An element, where it is."""
    return int(values[index])


called = kernel(element)
copied = inlined(element)


def through_parts(values: NDArray[np.int64], index: int) -> int:
    """The same element twice, by parts."""
    return called(values, index) + copied(values, index)


@pytest.mark.parametrize("index", [3, -1, -3, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("function", [element, through_parts])
def test_an_index_out_of_bounds_is_refused_in_every_part(function: Any, index: int) -> None:
    compiled = kernel(function)
    assert compiled(np.arange(3), 2) in (2, 4)
    with pytest.raises(IndexError):
        compiled(np.arange(3), index)


def test_what_others_compile_is_left_alone() -> None:
    """Beside a kernel, Numba counts negative indices from the end as ever."""
    compile_: Any = importlib.import_module("numba").njit
    values = np.arange(3)
    with pytest.raises(IndexError):
        kernel(element)(values, -1)
    assert compile_(element)(values, -1) == 2
