"""Where compiled kernels are kept: CACHE/tcpsnoop/<digest>.

CACHE is $TCPSNOOP_CACHE, else the user's cache folder, if it belongs to the user and can be
written; otherwise kernels are compiled in memory at every start. The digest covers the text of
every module of this package that shapes a kernel, because Numba's own cache looks only at the file
of the outermost function and would run stale code when a kernel in another module changes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

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


def cache_of(function: Callable[..., Any]) -> Any:
    """Numba's cache for a kernel: in `cache_folder()`, or one that keeps nothing."""
    return _no_cache() if cache_folder() is None else _kernel_cache_class()(function)


def _digest() -> str:
    """A digest of all kernel modules' text and of the versions that shape the machine code."""
    digest = hashlib.sha256()
    for name in ("tcpsnoop", "numba", "llvmlite", "numpy"):
        try:
            digest.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:  # run from a checkout that is not installed
            digest.update(f"{name}\n".encode())
    for name in sorted(_modules()):
        text = Path(_PACKAGE, name).read_bytes()
        folder, _, rest = name.partition("/")
        plain = folder in _PLAIN and rest.partition("/")[0] not in _CONSTANTS
        if not plain or _HAS_KERNEL.search(text):
            digest.update(f"{name}\n".encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _modules() -> Iterator[str]:
    """The modules of this package, by their path in it."""
    for folder, _, files in os.walk(_PACKAGE):
        for name in files:
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, name), _PACKAGE)


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
                found = self._load_overload(signature, target_context)
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
                self.flush()
            except OSError:
                self.disable()

        def save_overload(self, signature: Any, data: Any) -> None:
            try:
                super().save_overload(signature, data)
            except OSError:
                # A full disk costs the next start a compilation, never this report.
                self.disable()

    return KernelCache


@cache
def _no_cache() -> Any:
    """What stands for a cache where there is no folder for one."""
    from numba.core import caching

    class NoCache(caching.NullCache):
        def load_overload(self, signature: Any, target_context: Any) -> None:
            _announce()

    return NoCache()
