"""Networks hold addresses, and are the same after they were written and read."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.networks import Networks

TEXTS = ("::1", "127.0.0.0/8", "192.0.2.1", "2001:db8::/64", "2001:db8::5")


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("128.0.0.1", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("::1", True),
        ("::2", False),
        ("2001:db8::5", True),
        ("2001:db8::ffff", True),
        ("2001:db8:0:1::", False),
    ],
)
def test_an_address_is_in_one_of_them(address: str, inside: bool) -> None:
    assert Networks.parsed(TEXTS).has(*halves(address)) is inside
    assert not Networks([]).has(*halves(address))


def test_written_and_read_they_are_the_same() -> None:
    networks = Networks.parsed(TEXTS)
    assert set(networks.texts()) == set(TEXTS)
    assert Networks.parsed(networks.texts()).known == networks.known


def test_every_ipv4_address_and_every_address_at_all() -> None:
    everything = Networks.parsed(["0.0.0.0/0"])
    assert everything.has(*halves("8.8.8.8"))
    assert not everything.has(*halves("::1"))
    assert everything.texts() == ("0.0.0.0/0",)
    assert Networks.parsed(["::/0"]).texts() == ("::/0",)
    assert Networks.parsed(["::/0"]).has(*halves("8.8.8.8"))


def test_those_that_are_one_address() -> None:
    found = Networks.parsed(TEXTS).addresses()
    assert found == {halves(text) for text in ("::1", "192.0.2.1", "2001:db8::5")}


def test_what_is_none_is_an_error() -> None:
    for text in ("nowhere", "1.2.3.4/33", "1.2.3.4/8"):
        with pytest.raises(ValueError, match=text):
            Networks.parsed([text])
