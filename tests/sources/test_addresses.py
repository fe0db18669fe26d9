"""The host's own addresses, as they are now."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.sources.addresses import host_addresses
from tests.sources.virtual_link import Link, ip


def test_loopback_is_an_address_of_the_host() -> None:
    assert halves("127.0.0.1") in host_addresses()


@pytest.mark.root
@pytest.mark.program("ip")
def test_addresses_come_and_go(link: Link) -> None:
    address = halves("198.51.100.7")
    assert address not in host_addresses()
    ip("address", "add", "198.51.100.7/24", "dev", link.sent)
    assert address in host_addresses()
    ip("address", "delete", "198.51.100.7/24", "dev", link.sent)
    assert address not in host_addresses()
