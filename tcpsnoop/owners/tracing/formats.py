"""Numbers and layouts of the kernel's tracepoints: read from tracefs, or from what root left.

A tracepoint's number and the offsets of its fields are those of one boot of one kernel. Only root
may read them. So whoever runs as root leaves them in a file, with the number of the boot, and
others take them from there.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcpsnoop.errors import TcpsnoopError

TRACEFS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
LEFT_BY_ROOT = Path("/run/tcpsnoop/tracepoints.json")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# What is read, with the fields that must be there.
SOCKET_STATE = "sock:inet_sock_set_state"
SEND = "sock:sock_send_length"
RECEIVE = "sock:sock_recv_length"
DESTROY = "tcp:tcp_destroy_sock"
FORK = "task:task_newtask"
RENAME = "task:task_rename"
EXEC = "sched:sched_process_exec"
EXIT = "sched:sched_process_exit"
_COMMON = ("common_type", "common_flags", "common_pid")
_ADDRESSES = ("skaddr", "sport", "dport", "family", "saddr", "daddr", "saddr_v6", "daddr_v6")
NEEDED: Mapping[str, tuple[str, ...]] = {
    SOCKET_STATE: (*_COMMON, *_ADDRESSES, "oldstate", "newstate", "protocol"),
    SEND: (*_COMMON, "sk", "family", "protocol", "ret", "flags"),
    RECEIVE: (*_COMMON, "sk", "family", "protocol", "ret", "flags"),
    DESTROY: (*_COMMON, *_ADDRESSES, "sock_cookie"),
    FORK: (*_COMMON, "pid", "comm", "clone_flags"),
    RENAME: (*_COMMON, "pid", "newcomm"),
    EXEC: (*_COMMON, "pid"),
    EXIT: (*_COMMON, "pid"),
}

_ID = re.compile(r"^ID: (\d+)$", re.MULTILINE)
_FIELD = re.compile(
    r"^\tfield:[^;]*?(\w+)(?:\[[^;]*\])?;\toffset:(\d+);\tsize:(\d+);", re.MULTILINE
)


class TracingUnavailableError(TcpsnoopError):
    """The kernel's record cannot be read; the message is the reason."""


@dataclass(frozen=True)
class Tracepoint:
    """One tracepoint: its number, and (offset, size) of each field in its record."""

    number: int
    fields: Mapping[str, tuple[int, int]]


Tracepoints = Mapping[str, Tracepoint]


def boot_id() -> str:
    """What tells this boot from others."""
    return BOOT_ID.read_text().strip()


def read_tracepoints(given: Path | None = None) -> Tracepoints:
    """From the file given; else from tracefs, if we may; else from what root left."""
    if given is not None:
        return load_tracepoints(given)
    tracefs = find_tracefs()
    if tracefs is not None:
        return from_tracefs(tracefs)
    return load_tracepoints(LEFT_BY_ROOT)


def find_tracefs() -> Path | None:
    """The folder of tracefs, if there is one that we may read."""
    for folder in TRACEFS:
        if os.access(folder / "events" / "sock", os.R_OK | os.X_OK):
            return folder
    return None


def from_tracefs(folder: Path) -> Tracepoints:
    """The tracepoints of a tracefs."""
    found = {}
    for name in NEEDED:
        try:
            text = (folder / "events" / name.replace(":", "/") / "format").read_text()
        except OSError as error:
            raise TracingUnavailableError(f"this kernel has no tracepoint {name}") from error
        found[name] = parse_format(text)
    return _checked(found)


def parse_format(text: str) -> Tracepoint:
    """A tracepoint from its `format` file (Documentation/trace/events.rst of the kernel)."""
    number = _ID.search(text)
    if number is None:
        raise TracingUnavailableError("a format file of tracefs without ID")
    fields = {name: (int(at), int(size)) for name, at, size in _FIELD.findall(text)}
    return Tracepoint(int(number[1]), fields)


def load_tracepoints(path: Path) -> Tracepoints:
    """What `save_tracepoints` wrote: by root or by us, for this boot."""
    try:
        with path.open("rb") as file:
            held = os.fstat(file.fileno())
            # Tracepoints of somebody else's choice would be joined as if they were these.
            if held.st_uid not in (0, os.geteuid()) or held.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise TracingUnavailableError(f"{path} is not root's alone")
            told = json.load(file)
        found = {name: _tracepoint(each) for name, each in told["tracepoints"].items()}
        written_for = told["boot_id"]
    except FileNotFoundError as error:
        raise TracingUnavailableError(
            f"tracefs is for root alone and there is no {path}: "
            "run `tcpsnoop owners --prepare` as root once after each boot"
        ) from error
    except OSError as error:
        raise TracingUnavailableError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TracingUnavailableError(f"{path} is damaged") from error
    if written_for != boot_id():
        raise TracingUnavailableError(
            f"{path} is of another boot: run `tcpsnoop owners --prepare` as root"
        )
    return _checked(found)


def save_tracepoints(tracepoints: Tracepoints, path: Path = LEFT_BY_ROOT) -> None:
    """Leave them for those who may not read tracefs; the file appears whole or not at all."""
    told = {
        "boot_id": boot_id(),
        "tracepoints": {
            name: {"id": each.number, "fields": each.fields} for name, each in tracepoints.items()
        },
    }
    path.parent.mkdir(mode=0o755, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o644)
        json.dump(told, file, indent=1)
    beside.replace(path)


def _tracepoint(told: Any) -> Tracepoint:
    fields = {str(name): (int(at), int(size)) for name, (at, size) in told["fields"].items()}
    return Tracepoint(int(told["id"]), fields)


def _checked(found: Mapping[str, Tracepoint]) -> Tracepoints:
    for name, wanted in NEEDED.items():
        missing = [
            field for field in wanted if name not in found or field not in found[name].fields
        ]
        if missing:
            raise TracingUnavailableError(f"tracepoint {name} has no {', '.join(missing)} here")
    return found
