"""What there is to choose from."""

from __future__ import annotations

import pytest

from tcpsnoop.engine import catalogue
from tcpsnoop.sources.devices import Device


def test_an_interface_has_its_addresses_or_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Device("eth0", "uplink", ("192.0.2.1", "fe80::1"), True),
        Device("any", "all interfaces, cooked"),
        Device("tun0"),
    ]
    monkeypatch.setattr(catalogue, "devices", lambda: found)
    assert list(catalogue.interfaces()) == [
        "eth0             192.0.2.1, fe80::1",
        "any              all interfaces, cooked",
        "tun0",
    ]
