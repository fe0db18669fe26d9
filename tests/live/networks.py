"""Network namespaces for a test, joined as it asks, and gone with it."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address

_numbers = itertools.count()


@dataclass
class Host:
    """A network namespace that plays a host."""

    namespace: str
    addresses: dict[int, str] = field(default_factory=dict)  # 4 and 6: its address on the link

    def words(self, *command: object) -> list[str]:
        """The command line that runs a program there, with its own /sys."""
        return ["ip", "netns", "exec", self.namespace, *map(str, command)]

    def ip(self, *words: str) -> None:
        """Run the program ip there."""
        subprocess.run(["ip", "-netns", self.namespace, *words], check=True)


@contextmanager
def host() -> Iterator[Host]:
    """A namespace with nothing but its loopback device."""
    made = Host(f"tcpsnoop-test-{os.getpid()}-{next(_numbers)}")
    subprocess.run(["ip", "netns", "add", made.namespace], check=True)
    try:
        made.ip("link", "set", "lo", "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "delete", made.namespace], check=True)


def give_addresses(one: Host, device: str, number: int, network: int = 0) -> None:
    """Addresses of both families in a network of a number, usable at once."""
    ipv6 = str(IPv6Address(f"fd77:{network}::{number}"))
    one.addresses = {4: f"10.77.{network}.{number}", 6: ipv6}
    one.ip("link", "set", device, "up")
    one.ip("address", "add", f"{one.addresses[4]}/24", "dev", device)
    one.ip("address", "add", f"{one.addresses[6]}/64", "dev", device, "nodad")


@contextmanager
def veth_pair() -> Iterator[tuple[Host, Host]]:
    """Two hosts joined by veth: the device is called `eth0` in both."""
    with host() as one, host() as other:
        peer = ("type", "veth", "peer", "name", "eth0", "netns", other.namespace)
        one.ip("link", "add", "eth0", *peer)
        for number, each in enumerate((one, other), 1):
            give_addresses(each, "eth0", number)
        yield one, other


@contextmanager
def bridged(network: int = 0) -> Iterator[tuple[Host, Sequence[Host]]]:
    """A host with the bridge `br0` that joins two others by its ports `port1` and `port2`."""
    with ExitStack() as stack:
        middle, one, other = (stack.enter_context(host()) for _ in range(3))
        middle.ip("link", "add", "br0", "type", "bridge")
        middle.ip("link", "set", "br0", "up")
        for number, each in enumerate((one, other), 1):
            port = f"port{number}"
            peer = ("type", "veth", "peer", "name", "eth0", "netns", each.namespace)
            middle.ip("link", "add", port, *peer)
            middle.ip("link", "set", port, "master", "br0", "up")
            give_addresses(each, "eth0", number, network)
        yield middle, (one, other)
