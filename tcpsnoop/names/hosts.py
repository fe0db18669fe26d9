"""Host names of addresses: hosts tables, and the order in which they are asked."""

from __future__ import annotations

import ipaddress
from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import cast

from tcpsnoop.batches.addresses import halves
from tcpsnoop.errors import UsageError

Address = tuple[int, int]
"""The two halves of an address, as in batches.addresses."""

Hosts = Mapping[Address, str]
"""Names of addresses."""

SYSTEM_HOSTS = Path("/etc/hosts")

# RFC 1035 section 2.3.4: 255 octets with lengths, which leaves 253 characters of text.
LONGEST_NAME = 253


def parse_hosts(lines: Iterable[str]) -> dict[Address, str]:
    """The names in lines like those of /etc/hosts (hosts(5)): address, name, further names, `#`.

    The first name of an address counts, as for the system. Lines that are none are passed over.
    """
    names: dict[Address, str] = {}
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            address = halves(words[0])
        except ValueError:
            continue
        names.setdefault(address, words[1])
    return names


def read_hosts(path: Path) -> dict[Address, str]:
    """The names in a hosts file that the user named; UsageError when it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as lines:
            return parse_hosts(lines)
    except OSError as error:
        raise UsageError(f"cannot read hosts file {path}: {error.strerror}") from error


def host_tables(given: Hosts, recorded: Hosts, system: Path = SYSTEM_HOSTS) -> Hosts:
    """The tables as one, in the order they count: the user's, the capture's, the system's.

    `recorded` may grow afterwards, as a capture is read.
    """
    try:
        ours = read_hosts(system)
    except UsageError:
        ours = {}  # a system without that file has no names there
    tables = [dict(given), recorded, ours]
    return ChainMap(*cast(list[MutableMapping[Address, str]], tables))


def usable_name(text: str) -> str | None:
    """The name as it may be shown; None when it is none: unprintable, too long, an address.

    Names come from captures and from whoever owns the reverse zone of an address. One that reads
    like an address would stand for another host than its own.
    """
    name = text.removesuffix(".")
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or " " in name:
        return None
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name
    return None
