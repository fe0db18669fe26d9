"""Dispatchers: what is compiled for which arguments, and what of it is kept."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from tcpsnoop.kernel import inlined, kernel

pytestmark = pytest.mark.skipif(
    os.environ.get("TCPSNOOP_INTERPRET") == "1", reason="kernels are interpreted"
)


class Pair(NamedTuple):
    """Two columns that go together."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]


@inlined
def product(left: int, right: int) -> int:
    """A part that is copied."""
    return left * right


@kernel
def weighted(pair: Pair, index: int, weight: int) -> int:
    """A part that is called, with a constant among its arguments."""
    return product(pair.first[index], weight) + product(pair.second[index], 10)


@kernel
def total(pair: Pair) -> int:
    """What Python calls."""
    found = 0
    for index in range(len(pair.first)):
        found += weighted(pair, index, 100) + weighted(pair, index, 1000)
    return found


def test_constants_are_numbers_like_all() -> None:
    assert total(Pair(np.arange(1, 3), np.arange(3, 5))) == 3 * 1100 + 2 * 7 * 10
    assert len(total.signatures) == 1  # type: ignore[attr-defined]  # a kernel's
    assert len(weighted.signatures) == 0  # type: ignore[attr-defined]  # a kernel's
    # Called from Python, it is a kernel of its own.
    assert weighted(Pair(np.arange(1, 3), np.arange(3, 5)), 0, 100) == 130
    assert len(weighted.signatures) == 1  # type: ignore[attr-defined]  # a kernel's


def test_types_are_those_that_numba_finds() -> None:
    """All that kernels are called with: arrays of every layout, rows, tuples, numbers."""
    typeof: Any = importlib.import_module("numba").typeof

    whole = total._whole  # type: ignore[attr-defined]  # a kernel's
    rows = np.zeros(4, np.dtype([("wide", np.int64), ("narrow", np.uint8)], align=True))
    frozen = np.arange(6)
    frozen.flags.writeable = False
    for value in (
        np.arange(6),
        frozen,
        np.arange(6)[::2],
        np.zeros((2, 3)),
        np.zeros((3, 2)).T,
        np.zeros(0, np.bool_),
        rows,
        rows["narrow"],
        Pair(np.arange(3), frozen),
        (np.arange(3), 1, 2.5, True),
        7,
        True,
        np.int64(7),
    ):
        assert whole.typeof_pyval(value) == typeof(value)


def test_only_what_python_calls_is_kept(tmp_path: Path) -> None:
    program = """
import numpy
from tests.test_kernel_compiler import Pair, total
print(total(Pair(numpy.arange(1, 3), numpy.arange(3, 5))))
"""
    environment = os.environ | {"TCPSNOOP_CACHE": str(tmp_path), "PYTHONPATH": os.getcwd()}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, env=environment
        )
        assert done.stdout == b"3440\n"
    kept = sorted(path.name.split("-")[0] for path in tmp_path.rglob("*.nb?"))
    assert kept == ["test_kernel_compiler.total"] * 2  # an index, and the code
