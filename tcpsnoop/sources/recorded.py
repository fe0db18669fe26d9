"""What a file says besides its packets: of the interfaces they are from, and of hosts."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpsnoop.batches.packets import CaptureInterface

# As many as a capture of a large network has; a hostile file of nothing but names stays small.
MOST_NAMES = 65_536


@dataclass
class Recorded:
    """What is known of one file so far; both only grow."""

    file: int = 0  # its index among the inputs
    interfaces: list[CaptureInterface] = field(default_factory=list)
    hosts: dict[tuple[int, int], str] = field(default_factory=dict)
    """Names of addresses, as halves (batches.addresses)."""

    def name_host(self, address: tuple[int, int], name: str) -> None:
        """Take in a name: the first of an address counts, and MOST_NAMES of them all."""
        if len(self.hosts) < MOST_NAMES:
            self.hosts.setdefault(address, name)
