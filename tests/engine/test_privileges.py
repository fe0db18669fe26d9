"""Whom to become, and that there is no way back."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

import pytest

from tcpsnoop.engine.privileges import become, unprivileged_user
from tcpsnoop.errors import UsageError


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("SUDO_USER", raising=False)


def name_of(user: pwd.struct_passwd | None) -> str | None:
    return user and user.pw_name


@pytest.mark.usefixtures("as_root")
def test_the_chosen_user_then_who_called_sudo_then_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert name_of(unprivileged_user(None)) == "nobody"
    monkeypatch.setenv("SUDO_USER", "daemon")
    assert name_of(unprivileged_user(None)) == "daemon"
    assert name_of(unprivileged_user("bin")) == "bin"
    monkeypatch.setenv("SUDO_USER", "no such user")
    assert name_of(unprivileged_user(None)) == "nobody"


@pytest.mark.usefixtures("as_root")
def test_a_user_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="-Z nosuch: there is no such user"):
        unprivileged_user("nosuch")


def test_who_is_not_root_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged_user(None) is None
    assert unprivileged_user("daemon") is None


def in_child(question: Callable[[], bool]) -> bool:
    """The answer that a child of this process has."""
    child = os.fork()
    if child == 0:
        status = 3
        try:
            status = 0 if question() else 1
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 1), "it failed"
    return status == 0


@pytest.mark.root
def test_root_is_given_up_for_good() -> None:
    user = pwd.getpwnam("daemon")

    def cannot_return() -> bool:
        become(user)
        assert os.getresuid() == (user.pw_uid,) * 3
        assert os.getresgid() == (user.pw_gid,) * 3
        assert os.getgroups() == []
        try:
            os.setuid(0)
        except PermissionError:
            return True
        return False

    assert in_child(cannot_return)
    assert os.geteuid() == 0
