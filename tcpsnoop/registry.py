"""Plug-ins by name: reporters and renderers, ours and other people's, found the same way.

Names are listed from the metadata of installed packages, nothing is imported until it is chosen.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from tcpsnoop.errors import UsageError

REPORTERS = "tcpsnoop.reporters"
RENDERERS = "tcpsnoop.renderers"

_DOCSTRING = re.compile(r'(?:\s|#[^\n]*\n)*[rR]?("""|\'\'\')\s*(?P<first>.*?)\s*(?:\n|\1)')


@cache
def _found(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=str)}


def names(group: str) -> list[str]:
    """The names of a group, sorted."""
    return sorted(_found(group))


def load(group: str, name: str) -> Any:
    """The class registered under this name; UsageError when there is none or it does not load."""
    found = _found(group).get(name)
    if found is None:
        raise UsageError(f"there is no {name!r}; there are {', '.join(names(group))}")
    try:
        return found.load()
    except Exception as error:
        reason = f"{name} ({found.value}) does not load: {type(error).__name__}: {error}"
        raise UsageError(reason) from error


def summary(group: str, name: str) -> str:
    """The first line of the module's docstring, read without importing it; "" when not found."""
    module = _found(group)[name].value.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module)
        text = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    except (ImportError, OSError, ValueError):
        return ""
    match = _DOCSTRING.match(text)
    return match["first"].rstrip(".") if match else ""
