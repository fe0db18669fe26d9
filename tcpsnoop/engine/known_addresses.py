"""Addresses that are known to be local, without a look at packets (SEMANTICS 4, rule 2)."""

from __future__ import annotations

from collections.abc import Collection

from tcpsnoop.engine.settings import Settings
from tcpsnoop.interfaces.owner_lookup import OwnerLookup
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.provider.sides import Window
from tcpsnoop.sources.addresses import host_addresses

# How often the host's own addresses are looked at again.
AGAIN_SECONDS = 1.0


class KnownAddresses:
    """Live, the host's; of files those that they record, and that a journal of owners does."""

    def __init__(
        self, settings: Settings, source: PacketSource, owners: OwnerLookup | None
    ) -> None:
        self._live = settings.live
        self._source = source
        self._owners = owners
        self._again_at = 0.0
        self._interfaces = 0  # of a file, whose recorded addresses are known
        self._by_owners = self._recorded()

    def now(self) -> Collection[tuple[int, int]]:
        """What is known at first."""
        return host_addresses() if self._live else self._by_owners

    def refresh(self, window: Window, now: float) -> None:
        """Live: look again, if it is time."""
        if self._live and now >= self._again_at:
            self._again_at = now + AGAIN_SECONDS
            window.know(host_addresses())

    def met(self, window: Window, interfaces: int) -> None:
        """Of files: so many interfaces of the source were met by now."""
        by_owners = self._recorded()
        if not self._live and (interfaces > self._interfaces or by_owners != self._by_owners):
            self._interfaces, self._by_owners = interfaces, by_owners
            met = self._source.interfaces[:interfaces]
            told = {address for each in met for address in each.addresses}
            window.know(told.union(by_owners))

    def _recorded(self) -> Collection[tuple[int, int]]:
        return () if self._owners is None else self._owners.addresses
