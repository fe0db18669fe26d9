"""What stands for a kernel with Numba: its dispatchers, light enough to run what is in the cache.

By itself Numba makes every function one that Python could call, with a wrapper for that and machine
code of its own, keeps it on disk, and loads it again, though only the outermost one is ever called.
Here a `Part`, a function that kernels call, is there for other kernels alone; a `Whole`, a kernel
that Python calls, has machine code, with all its parts in it, and is kept. So the first run takes
half the time and the cache a tenth of the room. How: see `kernel_pipeline`.

What is compiled knows nothing of Numba's run-time system, which a kernel does not need, as it
allocates nothing: otherwise every array handed from kernel to kernel is counted by locked
instructions, and the count costs more than the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import types
from numba.core.compiler import CompilerBase
from numba.core.registry import CPUDispatcher
from numba.np.numpy_support import from_dtype, map_layout

from tcpsnoop.kernel_cache import cache_of

# Nobody calls a kernel from C: the wrapper for that would be compiled for nothing.
_OPTIONS: dict[str, Any] = {
    "nopython": True,
    "nogil": True,
    "boundscheck": True,
    "_nrt": False,
    "no_cfunc_wrapper": True,
}


class Whole(CPUDispatcher):
    """A kernel that Python calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, targetoptions=_OPTIONS, pipeline_class=_WholeCompiler)
        self._cache = cache_of(function)

    def typeof_pyval(self, value: Any) -> Any:
        """The type of an argument; for arrays without a look at NumPy's masked arrays.

        To import these takes as long as to load every kernel of a run.
        """
        if type(value) is np.ndarray:
            readonly = not value.flags.writeable
            layout = map_layout(value)
            return types.Array(from_dtype(value.dtype), value.ndim, layout, readonly=readonly)
        if isinstance(value, tuple):
            each = tuple(self.typeof_pyval(part) for part in value)
            return types.BaseTuple.from_types(each, type(value))
        return super().typeof_pyval(value)


class Part(CPUDispatcher):
    """A function that kernels call; it has no machine code of its own."""

    def __init__(self, function: Callable[..., Any], **options: bool) -> None:
        options = _OPTIONS | {"no_cpython_wrapper": True} | options
        super().__init__(function, targetoptions=options, pipeline_class=_PartCompiler)

    @property
    def type(self) -> Any:
        """What it is to Numba's type inference."""
        return self._numba_type_

    def add_overload(self, result: Any) -> None:
        """Keep what was compiled; there is nothing that Python could call."""
        self.overloads[tuple(result.signature.args)] = result

    def get_call_template(self, arguments: Any, keywords: Any) -> Any:
        """As Numba does, but constants among the arguments are numbers: compiled once for all."""
        plain = tuple(types.unliteral(argument) for argument in arguments)
        return super().get_call_template(plain, keywords)


class _WholeCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        from tcpsnoop.kernel_pipeline import pipeline_of_whole

        return [pipeline_of_whole(self.state)]


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        from tcpsnoop.kernel_pipeline import pipeline_of_part

        return [pipeline_of_part(self.state)]
