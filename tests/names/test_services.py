"""Service names: the system's first, ours where it has none."""

from __future__ import annotations

import numpy as np
import pytest

from tcpsnoop.names.services import registered_ports, service_name
from tcpsnoop.names.services_table import SERVICES


def nothing(port: int, protocol: str) -> str:
    raise OSError("port/proto not found")


def test_the_system_is_asked_for_tcp() -> None:
    assert service_name(79, lambda port, protocol: f"{port}/{protocol}") == "79/tcp"


@pytest.mark.parametrize(
    ("port", "name"),
    [
        (79, "finger"),
        (513, "login"),
        (22, "ssh"),
        (23, "telnet"),
        (443, "https"),
        (3306, "mysql"),
        (5432, "postgresql"),
        (6379, "redis"),
    ],
)
def test_a_system_without_services_has_ours(port: int, name: str) -> None:
    assert service_name(port, nothing) == name


@pytest.mark.parametrize("port", [0, 4, 60_000, 65_535])
def test_a_port_without_service(port: int) -> None:
    assert service_name(port, nothing) is None


def test_what_is_no_port_has_no_service() -> None:
    assert service_name(70_000) is None  # refused by the system's own function


def test_registered_ports_are_those_of_our_table_alone() -> None:
    ports = registered_ports()
    assert ports.shape == (65_536,)
    assert ports.dtype == np.bool_
    assert np.flatnonzero(ports).tolist() == sorted(SERVICES)
