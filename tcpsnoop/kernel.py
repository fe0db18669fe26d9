"""The decorator `kernel`: a plain function over NumPy arrays, compiled by Numba.

Laws of a kernel: arithmetic is int64 (`np.int64(...)` as values are read, explicit masks, never
uint64), every offset is compared with 0 and with its end, nothing is allocated, no Python object
is touched. So it is also an ordinary function: with TCPSNOOP_INTERPRET=1 the decorator returns it
unchanged and tests compare both.

Kernels release the GIL and keep bounds checks, because the input is hostile: an index below 0 is
out of bounds as well, it does not count from the end as in NumPy.

How they are compiled is told in `kernel_compiler`, where they are kept in `kernel_cache`. Both need
Numba, and making a function known to it takes a millisecond: so that is put off until the kernel is
called, or compiled as a part of one that is. A run calls one in ten.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

# What kernels take and give: int64 and truth values. Interpreted they are Python's or NumPy's, as
# they come; a type checker takes these for different types, so it is told nothing.
Integer: TypeAlias = Any
Truth: TypeAlias = Any
# One row of a structured array: `row["field"]` is read and written in place.
Row: TypeAlias = Any

# Bytes of an int64.
_WHOLE = 8

_MAKING = threading.RLock()

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile `function` at its first call (nogil, bounds checked), cached on disk.

    A kernel that allocates does not compile, and one may return an array only if it was given it
    (slice where it is used).
    """
    return function if is_interpreted() else _standing_for(function, _Kernel(function))


def inlined(function: Function) -> Function:
    """A part of kernels, copied into each that calls it: for what is done to every packet.

    A call hands over every array as seven words; a copy hands over nothing. It is no kernel of its
    own: called from Python it runs interpreted.
    """
    return function if is_interpreted() else _standing_for(function, _Inlined(function))


def prefetcher() -> Callable[..., None]:
    """`prefetch(rows, index)` for kernels: bring that row near, and go on without waiting for it.

    Rows far from one another come from memory at the same time, if they are asked for some way
    ahead of their use. Nothing else happens, whatever the index. Called from Python it is nothing.
    """
    return _Prefetch()


def number_reader(
    size: int, order: Literal["big", "little"]
) -> Callable[[Any, Integer, int], Integer]:
    """`read(data, at, field)` for kernels: the number in `size` bytes at `at + field` of `data`.

    `data` has uint8, shape (n,); `size` is 1, 2, 4 or 8, of which eight have a sign; `order` is
    "big" or "little". `field` is a constant: where the field stands in the header that begins at
    `at`. Once it was compared that the header is inside, its fields are read without another
    comparison. IndexError when one is not inside.
    """
    return _Reader(size, order)


def is_interpreted() -> bool:
    """Whether kernels are left as plain functions."""
    return os.environ.get("TCPSNOOP_INTERPRET") == "1"


def _standing_for(function: Function, compiled: Any) -> Function:
    """`compiled`, which is called as the function is: so calls are checked as those of it."""
    return compiled  # type: ignore[no-any-return]  # it is no function, but goes for one


class _Kernel:
    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.py_func = function

    def __call__(self, *arguments: Any) -> Any:
        return self._whole(*arguments)

    @cached_property
    def _whole(self) -> Any:
        from tcpsnoop.kernel_compiler import Whole

        # Two threads may call it for the first time at once, and it is compiled for one of them.
        with _MAKING:
            if "_whole" not in self.__dict__:
                self.__dict__["_whole"] = Whole(self.py_func)
            return self.__dict__["_whole"]

    @cached_property
    def _part(self) -> Any:
        from tcpsnoop.kernel_compiler import Part

        return Part(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks for where another kernel calls this one."""
        return self._part.type

    @property
    def signatures(self) -> list[Any]:
        """The types of arguments that Python called it with so far."""
        whole = self.__dict__.get("_whole")
        return [] if whole is None else whole.signatures


class _Inlined:
    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    @cached_property
    def _part(self) -> Any:
        from tcpsnoop.kernel_compiler import Part

        return Part(self._function, forceinline=True)

    @property
    def _numba_type_(self) -> Any:
        return self._part.type


class _Prefetch:
    def __call__(self, rows: Any, index: Any) -> None:
        pass

    @cached_property
    def _numba_type_(self) -> Any:
        from tcpsnoop.kernel_intrinsics import prefetch_type

        return prefetch_type()


class _Reader:
    def __init__(self, size: int, order: Literal["big", "little"]) -> None:
        self._size, self._order = size, order

    def __call__(self, data: Any, at: Integer, field: int) -> Integer:
        start = int(at) + field
        if at < 0 or start + self._size > len(data):
            raise IndexError("index is out of bounds")
        number = data[start : start + self._size].tobytes()
        return np.int64(int.from_bytes(number, self._order, signed=self._size == _WHOLE))

    @cached_property
    def _numba_type_(self) -> Any:
        from tcpsnoop.kernel_intrinsics import reader_type

        return reader_type(self._size, self._order != sys.byteorder)
