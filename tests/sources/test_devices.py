"""The interfaces of this host and their addresses, against what the kernel says elsewhere."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.sources.addresses import host_addresses
from tcpsnoop.sources.devices import ANY, Device, devices, is_loopback
from tcpsnoop.sources.netlink import addresses_by_interface

NAME, PEER = f"tsd{os.getpid()}a", f"tsd{os.getpid()}b"


@pytest.fixture
def added() -> Iterator[None]:
    """An interface with many addresses, one of them with a peer, that is not up."""
    subprocess.run(["ip", "link", "add", NAME, "type", "veth", "peer", "name", PEER], check=True)
    commands = [f"address add 198.51.100.{number}/24 dev {NAME}" for number in range(1, 200)]
    commands += [f"address add 2001:db8::{number:x}/64 dev {NAME}" for number in range(1, 400)]
    commands += [
        f"address add 203.0.113.1 peer 203.0.113.2 dev {NAME}",
        f"link set {NAME} alias 'uplink to nowhere'",
    ]
    text = "\n".join(commands)
    subprocess.run(["ip", "-batch", "-"], input=text, text=True, check=True)
    yield
    subprocess.run(["ip", "link", "delete", NAME], check=True)


def test_loopback_is_a_loopback_device() -> None:
    assert is_loopback("lo")
    assert not is_loopback(ANY)
    assert not is_loopback("no/such")
    assert not is_loopback("")
    assert "127.0.0.1" in addresses_by_interface()["lo"]
    assert halves("127.0.0.1") in host_addresses()


def test_every_interface_of_the_host_is_listed() -> None:
    found = {device.name: device for device in devices()}
    if os.geteuid() == 0:
        assert {name for _index, name in socket.if_nameindex()} <= found.keys()
    lo = found["lo"]
    assert (lo.up, lo.loopback) == (True, True)
    assert "127.0.0.1" in lo.addresses
    assert found[ANY] == Device(ANY, "all interfaces, cooked")


@pytest.mark.root
@pytest.mark.program("ip")
@pytest.mark.usefixtures("added")
def test_addresses_as_they_change() -> None:
    own = addresses_by_interface()[NAME]
    assert {f"198.51.100.{number}" for number in range(1, 200)} <= set(own)
    assert {f"2001:db8::{number:x}" for number in range(1, 400)} <= set(own)
    assert "203.0.113.1" in own
    assert "203.0.113.2" not in own  # that is the peer's
    assert {halves(text) for text in own} <= set(host_addresses())
    device = next(device for device in devices() if device.name == NAME)
    assert (device.up, device.loopback) == (False, False)
    assert device.description == "uplink to nowhere"
    assert device.addresses == tuple(own)

    command = f"ip address delete 203.0.113.1 peer 203.0.113.2 dev {NAME}"
    subprocess.run(command.split(), check=True)
    assert halves("203.0.113.1") not in host_addresses()


@pytest.mark.program("ip")
def test_the_same_as_ip_says() -> None:
    told = subprocess.run(["ip", "-json", "address"], capture_output=True, check=True).stdout
    expected = {
        entry["ifname"]: {info["local"] for info in entry["addr_info"]}
        for entry in json.loads(told)
        if entry["addr_info"]
    }
    found = {name: set(texts) for name, texts in addresses_by_interface().items()}
    assert found == expected
