"""The decorator `kernel`: a plain function over NumPy arrays, compiled by Numba.

Laws of a kernel: arithmetic is int64 (`np.int64(...)` as values are read, explicit masks, never
uint64), every offset is compared with 0 and with its end, nothing is allocated, no Python object
is touched. So it is also an ordinary function: with TCPSNOOP_INTERPRET=1 the decorator returns it
unchanged and tests compare both.

Kernels release the GIL and keep bounds checks, because the input is hostile: an index below 0 is
out of bounds as well, it does not count from the end as in NumPy.

Compiled code is kept in CACHE/tcpsnoop/<digest>, where CACHE is $TCPSNOOP_CACHE, else the user's
cache folder, if it belongs to the user and can be written; otherwise kernels are compiled in
memory at every start. The digest covers the text of every module of this package, because Numba's
own cache looks only at the file of the outermost function and would run stale code when a kernel
in another module changes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

# What kernels take and give: int64 and truth values. Interpreted they are Python's or NumPy's, as
# they come; a type checker takes these for different types, so it is told nothing.
Integer: TypeAlias = Any
Truth: TypeAlias = Any
# One row of a structured array: `row["field"]` is read and written in place.
Row: TypeAlias = Any

Function = TypeVar("Function", bound=Callable[..., Any])

# Nobody calls a kernel from C: the wrapper for that would be compiled for nothing.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "boundscheck": True,
    "_nrt": False,
    "no_cfunc_wrapper": True,
}

_PACKAGE = Path(__file__).parent
# Packages of plain modules: a change there must not cost the user a compilation.
_PLAIN = frozenset({"cli", "engine", "names", "owners", "reporters", "interfaces"})
# Folders in those whose plain modules have constants of kernels.
_CONSTANTS = frozenset({"tracing"})
_HAS_KERNEL = re.compile(rb"^@(kernel|inlined)\b", re.MULTILINE)

_first_compilation: list[Callable[[], None]] = []


def on_first_compilation(announce: Callable[[], None]) -> None:
    """Call `announce` once, right before the first kernel that is not in the cache is compiled."""
    _first_compilation[:] = [announce]


def _announce() -> None:
    while _first_compilation:
        _first_compilation.pop()()


@cache
def cache_folder() -> Path | None:
    """The folder compiled kernels are kept in, made if need be; None: compile in memory."""
    given = os.environ.get("TCPSNOOP_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(given or home) / "tcpsnoop" / _digest()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owned = folder.stat().st_uid == os.geteuid()
    except OSError:
        return None
    # Code is loaded from there: a folder that somebody else owns could hold anything.
    return folder if owned and os.access(folder, os.W_OK | os.X_OK) else None


def kernel(function: Function) -> Function:
    """Compile `function` with Numba at its first call (nogil, bounds checked), cached on disk.

    It is compiled without Numba's run-time system, which a kernel does not need, as it allocates
    nothing: otherwise every array handed from kernel to kernel is counted by locked instructions,
    and the count costs more than the work. What comes of it: a kernel that allocates does not
    compile, and one may return an array only if it was given it (slice where it is used).
    """
    if is_interpreted():
        return function
    from numba import njit

    dispatcher: Any = njit(**_OPTIONS)(function)
    _take_literals_as_integers(dispatcher)
    _refuse_negative_indices(dispatcher)
    kept = cache_folder() is not None
    dispatcher._cache = _kernel_cache_class()(function) if kept else _no_cache()
    return dispatcher  # type: ignore[no-any-return]  # Numba is untyped


def inlined(function: Function) -> Function:
    """A part of kernels, copied into each that calls it: for what is done to every packet.

    A call hands over every array as seven words; a copy hands over nothing. It is no kernel of its
    own, which saves a third of the time to compile: called from Python it runs interpreted.
    """
    if is_interpreted():
        return function
    from numba.extending import register_jitable

    register: Any = register_jitable(**_OPTIONS, no_cpython_wrapper=True, forceinline=True)
    return register(function)  # type: ignore[no-any-return]  # Numba is untyped


def prefetcher() -> Callable[..., None]:
    """`prefetch(rows, index)` for kernels: bring that row near, and go on without waiting for it.

    Rows far from one another come from memory at the same time, if they are asked for some way
    ahead of their use. Nothing else happens, whatever the index. Interpreted it is nothing.
    """
    return _no_prefetch if is_interpreted() else _prefetch()


def _no_prefetch(rows: Any, index: Any) -> None:
    pass


@cache
def _prefetch() -> Callable[..., None]:
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    arrayobj, cgutils = _code_generation()
    read, nearest, data = (ir.Constant(ir.IntType(32), number) for number in (0, 3, 1))

    @intrinsic
    def prefetch(typing_context: Any, rows: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = arrayobj.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.bitcast(builder.gep(array.data, [arguments[1]]), cgutils.voidptr_t)
            kind = ir.FunctionType(ir.VoidType(), [place.type, *(c.type for c in (read,) * 3)])
            name = f"llvm.prefetch.p0{'' if str(place.type) == 'ptr' else 'i8'}"
            called = cgutils.get_or_insert_function(builder.module, kind, name)
            builder.call(called, [place, read, nearest, data])
            return context.get_dummy_value()

        return types.void(rows, types.intp), generate

    return prefetch


def _take_literals_as_integers(dispatcher: Any) -> None:
    """Let constants among the arguments of a call be numbers: compiled once, not for each."""
    from numba.core import types

    template = dispatcher.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        unliteral: Any = types.unliteral
        plain = tuple(unliteral(argument) for argument in arguments)
        return template(plain, keywords)

    dispatcher.get_call_template = get_call_template


def _refuse_negative_indices(dispatcher: Any) -> None:
    """Compile it so that an index below 0 is out of bounds.

    Numba lets it count from the end, which no kernel means, and which costs every index three
    instructions and a second comparison: together some percent of all time.
    """
    compile_ = dispatcher._compiler.compile

    def compile_strictly(arguments: Any, return_type: Any) -> Any:
        # The dispatcher holds Numba's lock by now: nobody else is compiling meanwhile.
        with _strict_indices():
            return compile_(arguments, return_type)

    dispatcher._compiler.compile = compile_strictly


@contextmanager
def _strict_indices() -> Iterator[None]:
    """Put ours in place of what Numba generates for an index."""
    from numba.core import types

    arrayobj, cgutils = _code_generation()

    def as_it_is(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
        return context.cast(builder, index, kind, types.intp)

    def check(context: Any, builder: Any, index: Any, size: Any, axis: Any = None) -> None:
        # A negative number is a large one without its sign.
        beyond = builder.icmp_unsigned(">=", index, size)
        with cgutils.if_unlikely(builder, beyond):
            reason = ("index is out of bounds",)
            context.call_conv.return_user_exc(builder, IndexError, reason)

    kept = arrayobj.fix_integer_index, cgutils.do_boundscheck
    arrayobj.fix_integer_index, cgutils.do_boundscheck = as_it_is, check
    try:
        yield
    finally:
        arrayobj.fix_integer_index, cgutils.do_boundscheck = kept


def _code_generation() -> tuple[Any, Any]:
    """Numba's modules for arrays and for pieces of code; they are untyped."""
    from numba.core import cgutils
    from numba.np import arrayobj

    return arrayobj, cgutils


def is_interpreted() -> bool:
    """Whether kernels are left as plain functions."""
    return os.environ.get("TCPSNOOP_INTERPRET") == "1"


def _digest() -> str:
    """A digest of all kernel modules' text and of the versions that shape the machine code."""
    digest = hashlib.sha256()
    for name in ("tcpsnoop", "numba", "llvmlite", "numpy"):
        try:
            digest.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:  # run from a checkout that is not installed
            digest.update(f"{name}\n".encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        relative, text = path.relative_to(_PACKAGE), path.read_bytes()
        plain = relative.parts[0] in _PLAIN and relative.parts[1] not in _CONSTANTS
        if not plain or _HAS_KERNEL.search(text):
            digest.update(f"{relative}\n".encode())
            digest.update(text)
    return digest.hexdigest()[:16]


@cache
def _kernel_locator() -> Any:
    """Where Numba's file cache is: in `cache_folder()`."""
    from numba.core import caching

    class KernelLocator(caching.UserProvidedCacheLocator):
        def __init__(self, function: Any, file: str) -> None:
            self._py_file = file
            self._lineno = function.__code__.co_firstlineno
            self._cache_path = str(cache_folder())

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            return cls(function, file)

        def get_disambiguator(self) -> str:
            # One folder for all modules: equal names in two modules must not meet.
            return f"{Path(self._py_file).stem}-{self._lineno}"

    return KernelLocator


@cache
def _kernel_cache_class() -> Any:
    """Numba's file cache, kept in `cache_folder()` and quick to load from.

    Numba refreshes all its registries (0.2 s) before it looks into a cache. That is needed to
    compile, not to load, and the compiler does it by itself.
    """
    from numba.core import caching

    class KernelCacheImpl(caching.CompileResultCacheImpl):
        _locator_classes = [_kernel_locator()]  # noqa: RUF012  (Numba's own class attribute)

    class KernelCache(caching.FunctionCache):
        _impl_class = KernelCacheImpl

        def load_overload(self, signature: Any, target_context: Any) -> Any:
            try:
                found = self._load_overload(  # type: ignore[no-untyped-call]  # Numba is untyped
                    signature, target_context
                )
            except Exception:
                # A damaged or foreign cache file costs a compilation, never the report.
                found = None
                self._forget_all()
            if found is None:
                _announce()
            return found

        def _forget_all(self) -> None:
            """Begin a new index: the old one would be read again before anything is added."""
            try:
                self.flush()  # type: ignore[no-untyped-call]  # Numba is untyped
            except OSError:
                self.disable()  # type: ignore[no-untyped-call]  # Numba is untyped

        def save_overload(self, signature: Any, data: Any) -> None:
            try:
                super().save_overload(signature, data)  # type: ignore[no-untyped-call]  # Numba is untyped
            except OSError:
                # A full disk costs the next start a compilation, never this report.
                self.disable()  # type: ignore[no-untyped-call]  # Numba is untyped

    return KernelCache


@cache
def _no_cache() -> Any:
    """What stands for a cache where there is no folder for one."""
    from numba.core import caching

    class NoCache(caching.NullCache):
        def load_overload(self, signature: Any, target_context: Any) -> None:
            _announce()

    return NoCache()
