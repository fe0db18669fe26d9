"""The interfaces that can be captured on, against what the kernel says of them."""

from __future__ import annotations

import os
import socket

import pytest

from tcpsnoop.sources.devices import ANY, Device, devices, is_loopback
from tests.sources.virtual_link import Link, ip


def test_loopback_is_a_loopback_device() -> None:
    assert is_loopback("lo")
    assert not is_loopback(ANY)
    assert not is_loopback("no/such")
    assert not is_loopback("")


def test_every_interface_of_the_host_is_listed() -> None:
    found = {device.name: device for device in devices()}
    if os.geteuid() == 0:
        assert {name for _index, name in socket.if_nameindex()} <= found.keys()
    assert found["lo"].loopback
    assert "127.0.0.1" in found["lo"].addresses
    assert found[ANY] == Device(ANY, "all interfaces, cooked")


@pytest.mark.root
@pytest.mark.program("ip")
def test_what_is_said_of_an_interface(link: Link) -> None:
    ip("link", "set", link.sent, "alias", "uplink to nowhere")
    ip("link", "set", link.captured, "down")
    ip("address", "add", "198.51.100.7/24", "dev", link.sent)
    found = {device.name: device for device in devices()}
    assert found[link.sent] == Device(
        link.sent, "uplink to nowhere", ("198.51.100.7",), up=True, loopback=False
    )
    assert found[link.captured] == Device(link.captured, up=False)
