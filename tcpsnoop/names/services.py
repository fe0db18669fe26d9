"""Names of TCP services: the system's, else those of our own table."""

from __future__ import annotations

import socket
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.names.services_table import SERVICES

PORTS = 1 << 16


def service_name(port: int, system: Callable[[int, str], str] = socket.getservbyport) -> str | None:
    """The name of a TCP port's service; None when nobody has one."""
    try:
        return system(port, "tcp")
    except (OSError, OverflowError):
        return SERVICES.get(port)


def registered_ports() -> NDArray[np.bool_]:
    """For each port whether our own table has a service there, shape (65536,).

    The originator of a connection seen midstream is told by it (SEMANTICS 5), so what the system
    says does not matter: the same capture gives the same result on every machine.
    """
    ports = np.zeros(PORTS, np.bool_)
    ports[list(SERVICES)] = True
    return ports
