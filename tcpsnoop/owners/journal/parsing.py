"""Lines of a journal as records; what they say is checked, for a file may hold anything."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tcpsnoop.batches.owners import Context, Process
from tcpsnoop.owners.journal.event_columns import read_events
from tcpsnoop.owners.journal.records import (
    VERSION,
    CgroupNumber,
    Clocks,
    DamageError,
    End,
    Events,
    Header,
    Holders,
    Identity,
    LocalNetworks,
    Object,
    ProcessRead,
    Record,
    SocketRow,
    Sockets,
    Span,
)

# No Linux has more (PID_MAX_LIMIT); a table is made for so many.
_MOST_PIDS = (1 << 22) + 1
_LATEST_NS = 1 << 61
_LARGEST = (1 << 63) - 1

Made = TypeVar("Made")


def parse_header(line: bytes) -> Header:
    """The first line, of this version; DamageError."""
    told = _object(line)
    return _checked(_header, told)


def version_of(line: bytes) -> object:
    """The version that a first line names; DamageError when it is not one."""
    return _object(line).get("tcpsnoop_journal")


def parse_line(line: bytes) -> Record | None:
    """The record of a line, None of a kind that is not known; DamageError when it is none."""
    for kind, told in _object(line).items():
        parse = _PARSERS.get(kind)
        if parse is not None:
            return _checked(parse, told)
    return None


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DamageError("a line that is no JSON") from error
    if not isinstance(told, dict):
        raise DamageError("a line that is no object")
    return told


def _checked(make: Callable[[Object], Made], told: Object) -> Made:
    try:
        return make(told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamageError(f"a record that lacks something ({error})") from error


def _header(told: Object) -> Header:
    if told["tcpsnoop_journal"] != VERSION:
        raise ValueError("another version")
    return Header(
        _time(told["began_ns"]),
        _text(told["boot_id"]),
        _number(told["boot_ns"]),
        _text(told["method"]),
        _text(told["why_not"]),
        told["self_test"] == "passed",
        bool(told["translates"]),
        _number(told["network_namespace"] or 0),
        _number(told["pids"], 1, _MOST_PIDS),
        _number(told["ticks_per_second"], 1, 1_000_000),
        _text(told["program"]),
    )


def _process(told: Object) -> ProcessRead:
    context = Context(
        _text(told.get("user")),
        _text(told.get("executable")),
        _number_or(told.get("parent_pid"), -1),
        _text(told.get("parent_command")),
        _number_or(told.get("network_namespace"), 0),
    )
    process = Process(
        _number(told["pid"]),
        _number(told["start_time"]),
        _text(told["command"]),
        _text(told["command_line"]),
        _number_or(told.get("uid"), -1),
        _text(told.get("cgroup")),
        context,
    )
    return ProcessRead(_time(told["time_ns"]), process)


def _addresses(told: Object) -> LocalNetworks:
    networks = tuple(_text(each) for each in told["networks"])
    for each in networks:
        ipaddress.ip_network(each)
    return LocalNetworks(_time(told["time_ns"]), networks)


def _clocks(told: Object) -> Clocks:
    return Clocks(
        _time(told["time_ns"]), _number(told["monotonic_ns"]), _number(told["boottime_ns"])
    )


def _sockets(told: Object) -> Sockets:
    return Sockets(
        _span(told["read_ns"]),
        tuple(_socket(*row) for row in told["new"]),
        tuple(_socket(*row) for row in told["gone"]),
    )


def _socket(laddr: object, lport: object, raddr: object, rport: object, inode: object) -> SocketRow:
    laddr, raddr = _text(laddr), _text(raddr)
    for address in (laddr, raddr):
        ipaddress.ip_address(address)
    ports = _number(lport, 0, 65535), _number(rport, 0, 65535)
    return SocketRow(laddr, ports[0], raddr, ports[1], _number(inode))


def _holders(told: Object) -> Holders:
    holders = {
        _number(inode): tuple(_identity(*each) for each in processes)
        for inode, processes in told["holders"]
    }
    return Holders(
        _time(told["time_ns"]), holders, _number(told["unreadable"]), bool(told["hidden"])
    )


def _identity(pid: object, start_time: object) -> Identity:
    return _number(pid), _number(start_time)


def _span(told: object) -> Span:
    if not isinstance(told, list):
        raise TypeError("no list")
    begun, done = told
    return _time(begun), _time(done)


def _number(told: object, least: int = 0, most: int = _LARGEST) -> int:
    if type(told) is not int or not least <= told <= most:
        raise ValueError("a number")
    return told


def _number_or(told: object, unknown: int) -> int:
    return unknown if told is None else _number(told)


def _time(told: object) -> int:
    return _number(told, 0, _LATEST_NS)


def _text(told: object) -> str:
    """A text, "" for null. One that cannot be written is not one."""
    if told is None:
        return ""
    if not isinstance(told, str):
        raise TypeError("no text")
    told.encode()
    return told


_PARSERS: Mapping[str, Callable[[Object], Record]] = {
    "events": lambda told: Events(read_events(told)),
    "process": _process,
    "cgroup": lambda told: CgroupNumber(_number(told["number"]), _text(told["path"])),
    "addresses": _addresses,
    "clock": _clocks,
    "sockets": _sockets,
    "holders": _holders,
    "end": lambda told: End(_time(told["time_ns"]), _number(told["lost"])),
}
