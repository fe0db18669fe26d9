"""What may be used of sock_diag is opened together, and closed together."""

from __future__ import annotations

import os
import sys

import pytest

from tcpsnoop.owners.diag import access
from tcpsnoop.owners.diag.access import Access, open_access
from tcpsnoop.owners.diag.asking import DiagUnavailableError, in_namespace
from tests.owners.diag.fakes import FakeDiag, FakeEndings


def refuse(*_: object) -> None:
    raise DiagUnavailableError("because")


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's sock_diag")
@pytest.mark.root
def test_root_may_use_all_of_it() -> None:
    opened = open_access()
    assert opened.diag is not None
    assert opened.endings is not None
    assert opened.enter is in_namespace
    assert opened.failure == ""
    opened.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's sock_diag")
def test_others_enter_no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    opened = open_access()
    assert opened.diag is not None
    assert opened.enter is None
    opened.close()


def test_without_it_the_reason_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "Diag", refuse)
    assert open_access() == Access(why_not="because")
    assert open_access().failure == "because"
    open_access().close()


def test_what_only_does_not_tell_of_endings_is_used_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unable() -> None:
        raise OSError("no such group")

    monkeypatch.setattr(access, "Diag", FakeDiag)
    monkeypatch.setattr(access, "Endings", unable)
    opened = open_access()
    assert isinstance(opened.diag, FakeDiag)
    assert opened.endings is None


def test_closing_closes_all_and_a_failure_on_the_way_is_told() -> None:
    diag, endings = FakeDiag(), FakeEndings()
    opened = Access(diag, None, endings)
    assert opened.failure == ""
    diag.failure = "it stopped"
    assert opened.failure == "it stopped"
    opened.close()
    assert diag.closed
    assert endings.closed
