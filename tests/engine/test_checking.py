"""Options that do not go together, by themselves; whole runs of them are in tests/cli."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.engine.checking import check
from tcpsnoop.engine.settings import Settings
from tcpsnoop.errors import UsageError
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.io import Io

FILES = {"files": ("x",)}


@pytest.mark.parametrize(
    ("report", "options"),
    [
        (Io, {}),
        (Io, FILES),
        (Io, {"pids": (1,)}),
        (Io, {"run": ("true",)}),
        (Io, FILES | {"owners": "j"}),
        (Io, FILES | {"owners": "j", "pids": (1,), "uids": (0,)}),
        (Accept, {"interval": 1.0, "top": 3, "sort": "count"}),
    ],
)
def test_what_can_be(report: type, options: dict[str, Any]) -> None:
    check(Settings((("x", report()),), Text, **options))


@pytest.mark.parametrize(
    ("report", "options", "told"),
    [
        (Io, {"interval": 1.0}, "--interval: x is a log"),
        (Io, {"run": ("no such program",)}, "there is no such command"),
        (Io, {"owners": "j"}, "--owners: a journal is for captures that are read"),
        (Io, FILES | {"pids": (1,)}, "does not tell processes"),
        (Io, FILES | {"cgroups": ("x",)}, "does not tell processes"),
        (Io, FILES | {"owners": "j", "run": ("true",)}, "captured live"),
    ],
)
def test_what_cannot_be(report: type, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check(Settings((("x", report()),), Text, **options))
