"""Addresses by interface as the kernel tells them, against ip(8)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tcpsnoop.sources.netlink import addresses_by_interface
from tests.sources.virtual_link import Link, ip


def test_loopback_has_its_address() -> None:
    assert "127.0.0.1" in addresses_by_interface()["lo"]


@pytest.mark.program("ip")
def test_the_same_as_ip_says() -> None:
    told = subprocess.run(["ip", "-json", "address"], capture_output=True, check=True).stdout
    expected = {
        entry["ifname"]: {info["local"] for info in entry["addr_info"]}
        for entry in json.loads(told)
        if entry["addr_info"]
    }
    assert {name: set(texts) for name, texts in addresses_by_interface().items()} == expected


@pytest.mark.root
@pytest.mark.program("ip")
def test_more_addresses_than_one_message_holds(link: Link) -> None:
    Path(f"/proc/sys/net/ipv6/conf/{link.sent}/disable_ipv6").write_text("0")
    wanted = {f"198.51.100.{number}" for number in range(1, 200)}
    wanted |= {f"2001:db8::{number:x}" for number in range(1, 500)}
    commands = "\n".join(f"address add {text} dev {link.sent}" for text in wanted)
    subprocess.run(["ip", "-batch", "-"], input=commands, text=True, check=True)
    assert wanted <= set(addresses_by_interface()[link.sent])


@pytest.mark.root
@pytest.mark.program("ip")
def test_the_address_of_a_peer_is_not_ours(link: Link) -> None:
    ip("address", "add", "203.0.113.1", "peer", "203.0.113.2", "dev", link.sent)
    assert addresses_by_interface()[link.sent] == ["203.0.113.1"]
