"""The decorators: what they make of a function, and when."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tcpsnoop import kernel_compiler
from tcpsnoop.kernel import inlined, kernel

compiled_alone = pytest.mark.skipif(
    os.environ.get("TCPSNOOP_INTERPRET") == "1", reason="kernels are interpreted"
)


def third(values: np.ndarray[tuple[int], np.dtype[np.int64]], index: int) -> int:
    """An element, where it is."""
    return int(values[index])


def test_interpreted_it_is_the_function_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TCPSNOOP_INTERPRET", "1")
    assert kernel(third) is third
    assert inlined(third) is third


@compiled_alone
def test_compiled_it_gives_what_the_function_gives() -> None:
    compiled = kernel(third)
    assert compiled is not third
    assert compiled(np.arange(3), 2) == third(np.arange(3), 2) == 2
    assert (compiled.__name__, compiled.__doc__) == (third.__name__, third.__doc__)


@compiled_alone
def test_what_is_inlined_runs_as_it_is_when_python_calls_it() -> None:
    assert inlined(third)([4, 5, 6], 1) == 5  # type: ignore[arg-type]  # a list is no array


@compiled_alone
def test_numba_is_not_imported_before_a_kernel_is_called() -> None:
    program = """
import sys, numpy
from tcpsnoop.dissect.dissector import Dissector
from tcpsnoop.provider.tracking import track
print("numba" in sys.modules, track.signatures)
"""
    words = [sys.executable, "-c", program]
    assert subprocess.run(words, capture_output=True, check=True).stdout == b"False []\n"


def test_threads_that_call_it_first_at_once_share_what_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    at_once = threading.Barrier(4)

    def slowly(function: object) -> Callable[[], int]:
        threading.Event().wait(0.05)
        made.append(function)
        return lambda: len(made)

    monkeypatch.delenv("TCPSNOOP_INTERPRET", raising=False)
    monkeypatch.setattr(kernel_compiler, "Whole", slowly)

    def none() -> int:
        return 0

    called = kernel(none)

    def call(_: int) -> int:
        at_once.wait(10)
        return called()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(call, range(4))) == [1] * 4
