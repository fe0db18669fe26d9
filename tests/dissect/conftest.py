"""The package under test twice: its kernels compiled, and left as plain functions."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

import tcpsnoop.dissect
from tests.dissect.one_frame import DissectOne


def compiled_package() -> ModuleType:
    return tcpsnoop.dissect


def interpreted_package() -> ModuleType:
    """The package once more, with its kernels left as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TCPSNOOP_INTERPRET", "1")
        for name in [name for name in sys.modules if name.startswith("tcpsnoop.dissect")]:
            patch.delitem(sys.modules, name)
        # Importing sets this; it is set back with the rest.
        patch.setattr(tcpsnoop, "dissect", tcpsnoop.dissect)
        return importlib.import_module("tcpsnoop.dissect")


@pytest.fixture(scope="session")
def compiled() -> ModuleType:
    return compiled_package()


@pytest.fixture(scope="session")
def interpreted() -> ModuleType:
    return interpreted_package()


@pytest.fixture(scope="session", params=["compiled", "interpreted"])
def dissect(request: pytest.FixtureRequest) -> DissectOne:
    """One frame through tcpsnoop.dissect, once for each way its kernels can run."""
    return DissectOne(request.getfixturevalue(request.param))
