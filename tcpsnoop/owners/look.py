"""One look at sockets: which namespaces' sockets an end may have, and what they say.

A capture shows the packets of the interfaces of our namespace; on a bridge, or the outer end of a
veth pair, those of others, too. The same addresses may be used in several, 127.0.0.1 always is. So
an address of ours is looked for here alone; another one here and in the namespace that has it; and
where several have it, nowhere.
"""

from __future__ import annotations

from contextlib import ExitStack

from tcpsnoop.owners.judge import AMBIGUOUS, GONE, NOT_VISIBLE
from tcpsnoop.owners.namespaces import Namespace, Namespaces
from tcpsnoop.owners.sockets import Socket, Sockets


class View:
    """The sockets that one address may be of: Sockets, and why one is not among them.

    `own` are of our namespace, `other` of the one besides that has the address.
    """

    def __init__(self, own: Sockets, other: Sockets | None, *, is_here: bool) -> None:
        self._own = own
        self._other = other
        self._is_here = is_here
        self._both = False

    @property
    def readable(self) -> bool:
        """Whether what was asked could be answered."""
        return self._own.readable or (self._other is not None and self._other.readable)

    def find(self, local: bytes, remote: bytes) -> Socket | None:
        """The socket with these ends (places); None when there is none, or one in each namespace.

        It has a cookie only in our namespace, where we hear when it ends.
        """
        own = self._own.find(local, remote)
        other = None if self._other is None else self._other.find(local, remote)
        self._both = own is not None and other is not None
        if self._both:
            return None
        return own or (other and other._replace(cookie=0))

    @property
    def why_not(self) -> str:
        """Why no process is to be named, if what `find` gave is not the socket."""
        if self._both:
            return AMBIGUOUS
        return GONE if self._is_here and self.readable else NOT_VISIBLE

    def listeners(self, local: bytes) -> tuple[int, ...]:
        """Inodes of the listening sockets that get what is sent to `local`."""
        if not self._is_here:
            return ()
        return (self._other or self._own).listeners(local)


class Nowhere:
    """A view of an address that several namespaces have."""

    readable = True
    why_not = AMBIGUOUS

    def find(self, local: bytes, remote: bytes) -> None:
        """It cannot be told whose socket it would be."""

    def listeners(self, local: bytes) -> tuple[int, ...]:
        """Likewise."""
        return ()


class Look:
    """What is asked at one moment; each namespace is asked through one object."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._own = namespaces.own_sockets()
        self._others: dict[Namespace, Sockets] = {}
        self._entered = ExitStack()

    def __enter__(self) -> Look:
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    def view(self, high: int, low: int) -> View | Nowhere:
        """What may be the sockets of an address (halves as in batches.addresses)."""
        if self._namespaces.addresses.has(high, low):
            return View(self._own, None, is_here=True)
        having = self._namespaces.having(high, low)
        if len(having) > 1:
            return Nowhere()
        other = self._sockets(having[0]) if having else None
        return View(self._own, other, is_here=bool(having))

    def _sockets(self, namespace: Namespace) -> Sockets:
        found = self._others.get(namespace)
        if found is None:
            found = self._namespaces.sockets(namespace, self._entered)
            self._others[namespace] = found
        return found
