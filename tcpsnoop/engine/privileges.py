"""Giving up root once the capture is open (DESIGN 4)."""

from __future__ import annotations

import os
import pwd

from tcpsnoop.errors import UsageError


def unprivileged_user(chosen: str | None) -> pwd.struct_passwd | None:
    """Whom to become: the chosen user, else who called sudo, else nobody; None when not root.

    UsageError when the chosen user does not exist.
    """
    if os.geteuid() != 0:
        return None
    for name in (chosen, os.environ.get("SUDO_USER"), "nobody"):
        if name is None:
            continue
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if name == chosen:
                raise UsageError(f"-Z {name}: there is no such user") from None
    return None


def become(user: pwd.struct_passwd) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
