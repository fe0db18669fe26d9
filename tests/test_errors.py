"""Errors say by their class how the program ends."""

from __future__ import annotations

from tcpsnoop.errors import CaptureError, TcpsnoopError, UsageError


def test_exit_statuses() -> None:
    """2: nothing was started; 1: something is missing from the result."""
    assert UsageError("x").exit_code == 2
    assert CaptureError("x").exit_code == 1
    assert all(issubclass(each, TcpsnoopError) for each in (UsageError, CaptureError))
    assert not issubclass(UsageError, CaptureError)
