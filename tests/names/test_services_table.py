"""Our table of services: what it must hold, and what would do harm in it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tcpsnoop.names import services_table
from tcpsnoop.names.services_table import SERVICES

# What Linux gives to the connecting end: /proc/sys/net/ipv4/ip_local_port_range.
FIRST_EPHEMERAL_PORT = 32_768


@pytest.mark.parametrize(
    ("port", "name"),
    [
        # RFC 854, 959, 1288, 4251, 5321, 9110 and the BSD services
        (21, "ftp"),
        (22, "ssh"),
        (23, "telnet"),
        (25, "smtp"),
        (53, "domain"),
        (79, "finger"),
        (80, "http"),
        (179, "bgp"),
        (443, "https"),
        (512, "exec"),
        (513, "login"),
        (514, "shell"),
        (515, "printer"),
        (2049, "nfs"),
        (3306, "mysql"),
        (5432, "postgresql"),
        (6000, "x11"),
        (6379, "redis"),
    ],
)
def test_well_known_services(port: int, name: str) -> None:
    assert SERVICES[port] == name


def test_ports_are_in_range_and_not_ephemeral() -> None:
    """An ephemeral port taken for a service would make the server the originator."""
    assert all(0 < port < FIRST_EPHEMERAL_PORT for port in SERVICES)


def test_names_are_words() -> None:
    assert [
        name for name in SERVICES.values() if not re.fullmatch(r"[A-Za-z0-9][\w-]*", name)
    ] == []


@pytest.mark.parametrize("part", ["_SYSTEM_PORTS", "_REGISTERED_PORTS", "_CUSTOMARY_PORTS"])
def test_ports_ascend_so_none_is_named_twice(part: str) -> None:
    ports = [int(word) for word in getattr(services_table, part).split()[::2]]
    assert all(before < after for before, after in pairwise(ports))


def test_no_port_is_in_two_parts() -> None:
    parts = [services_table._SYSTEM_PORTS, services_table._REGISTERED_PORTS]
    parts.append(services_table._CUSTOMARY_PORTS)
    assert sum(len(part.split()) // 2 for part in parts) == len(SERVICES)
