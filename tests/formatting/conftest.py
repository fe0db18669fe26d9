"""The package under test twice: its kernels compiled, and left as plain functions."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

import tcpsnoop.batches.addresses
import tcpsnoop.formatting

WITH_KERNELS = ("tcpsnoop.formatting", "tcpsnoop.batches.addresses")


def compiled() -> ModuleType:
    return tcpsnoop.formatting


def interpreted() -> ModuleType:
    """The package once more, and the other kernels it calls, with the kernels left as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TCPSNOOP_INTERPRET", "1")
        for name in [name for name in sys.modules if name.startswith(WITH_KERNELS)]:
            patch.delitem(sys.modules, name)
        # Importing sets these; they are set back with the rest.
        patch.setattr(tcpsnoop, "formatting", tcpsnoop.formatting)
        patch.setattr(tcpsnoop.batches, "addresses", tcpsnoop.batches.addresses)
        return importlib.import_module("tcpsnoop.formatting")


@pytest.fixture(scope="session", params=[compiled, interpreted], ids=["compiled", "interpreted"])
def formatting(request: pytest.FixtureRequest) -> ModuleType:
    """tcpsnoop.formatting, once for each way its kernels can run."""
    made: ModuleType = request.param()
    return made
