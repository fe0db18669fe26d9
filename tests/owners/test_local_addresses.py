"""Whether an address is here is read from fib_trie and if_inet6."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.owners.local_addresses import LARGEST_FILE, REFRESH_SECONDS, LocalAddresses
from tests.owners.proc_tree import Clock, ProcTree


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("192.168.1.5", True),
        ("192.168.1.6", False),
        ("192.168.1.255", False),  # a broadcast address is nobody's
        ("127.0.0.1", True),
        ("127.200.3.4", True),  # all of 127.0.0.0/8 is
        ("128.0.0.1", False),
        ("::1", True),
        ("2001:db8::5", True),
        ("2001:db8::6", False),
        ("::ffff:192.168.1.5", True),
    ],
)
def test_an_address_is_here_when_the_kernel_delivers_it(
    proc: ProcTree, clock: Clock, address: str, here: bool
) -> None:
    assert LocalAddresses(proc.root / "net", clock).has(*halves(address)) is here


def test_addresses_are_read_again_after_some_seconds(proc: ProcTree, clock: Clock) -> None:
    addresses = LocalAddresses(proc.root / "net", clock)
    new = halves("192.168.1.6")
    assert not addresses.has(*new)
    trie = proc.root / "net" / "fib_trie"
    trie.write_text(trie.read_text().replace("192.168.1.5", "192.168.1.6"))
    assert not addresses.has(*new)
    clock.forward(REFRESH_SECONDS)
    assert addresses.has(*new)


def test_what_cannot_be_known_counts_as_here(tmp_path: Path, clock: Clock) -> None:
    foreign = halves("203.0.113.9")
    assert LocalAddresses(tmp_path / "nowhere", clock).has(*foreign)
    (tmp_path / "fib_trie").write_bytes(b"\n" * (LARGEST_FILE + 1))
    assert LocalAddresses(tmp_path, clock).has(*foreign)


def test_without_ipv6_the_addresses_of_ipv4_are_known(proc: ProcTree, clock: Clock) -> None:
    (proc.root / "net" / "if_inet6").unlink()
    addresses = LocalAddresses(proc.root / "net", clock)
    assert addresses.has(*halves("192.168.1.5"))
    assert not addresses.has(*halves("2001:db8::5"))


@pytest.mark.skipif(not Path("/proc/net/fib_trie").exists(), reason="needs Linux's /proc")
def test_this_machine_has_its_own_addresses(clock: Clock) -> None:
    addresses = LocalAddresses(Path("/proc/net"), clock)
    assert addresses.has(*halves("127.0.0.1"))
    assert not addresses.has(*halves("203.0.113.9"))  # a documentation address (RFC 5737)
