"""What the kernel's sockets say about an end of a connection, and whether it may be believed.

They are asked some milliseconds after the packets, and addresses and ports are used again. A wrong
process is worse than none: where it may already be another socket that is found, it is not used.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpsnoop.batches.owners import CLOSED, HOLDER, LISTENER, UNKNOWN
from tcpsnoop.owners.earlier import Earlier
from tcpsnoop.owners.ends import End
from tcpsnoop.owners.evidence import NEVER
from tcpsnoop.owners.sockets import (
    CLOSE_WAIT,
    ESTABLISHED,
    SYN_RECV,
    SYN_SENT,
    Socket,
    Sockets,
)

# Reasons of `unknown`.
NO_PERMISSION = "no permission"  # processes are there whose descriptors we may not see
GONE = "gone"  # the kernel has no such socket, or not any more, or no process has it open
NOT_VISIBLE = "not visible"  # it belongs to another namespace, or to no process that we can see
AMBIGUOUS = "ambiguous"  # several network namespaces have its address, or even its socket
NOT_IN_TIME = "not in time"  # the look came, or comes, too late for this packet

# A socket in these states with inode 0 waits in the queue of a listener. In all others inode 0
# means that its process has closed it.
_BEFORE_ACCEPT = frozenset({ESTABLISHED, SYN_RECV, CLOSE_WAIT})
_BEFORE_ANY_FIN = frozenset({ESTABLISHED, SYN_SENT, SYN_RECV})


class Claim(NamedTuple):
    """Which sockets an end is thought to be, or to wait for; UNKNOWN when none."""

    # HOLDER: the socket itself; CLOSED: it was; LISTENER: those that listen for it; UNKNOWN
    quality: str
    inodes: tuple[int, ...] = ()
    cookie: int = 0  # of the socket itself, if it was told
    lasting: bool = False  # the table may say something better any time later


_NOTHING = Claim(UNKNOWN)


def judge(end: End, sockets: Sockets, now: float, earlier: Earlier | None = None) -> Claim:
    """The claim that sockets asked at `now` support; a responder's `first_listeners` is set."""
    socket = sockets.find(end.local, end.remote)
    if socket is None or end.over or (socket.inode == 0 and socket.state not in _BEFORE_ACCEPT):
        return _from_before(end, socket, earlier) or _without_socket(end)
    if socket.inode == 0:
        listeners = sockets.listeners(end.local)
        return Claim(LISTENER, listeners, lasting=True) if listeners else _NOTHING
    if _contradicts(socket, end):
        return _NOTHING
    if socket.inode == end.distrusted and now < end.trusted_at:
        return _NOTHING
    return Claim(HOLDER, (socket.inode,), socket.cookie)


def _from_before(end: End, socket: Socket | None, earlier: Earlier | None) -> Claim | None:
    """An end whose connection is from before the capture, if it still had its socket of then."""
    known = None if earlier is None else earlier.at(end)
    if earlier is None or known is None:
        return None
    same = earlier.still_had(known, end) if socket is None else socket.cookie == known.cookie
    return Claim(CLOSED, (known.inode,)) if same else None


def _without_socket(end: End) -> Claim:
    """An end that answered had a socket; who listened for it is at least that.

    Only who listened at the first look counts: a server started later had no part in it.
    """
    if end.is_responder and end.answering_ns != NEVER and end.first_listeners:
        return Claim(LISTENER, end.first_listeners)
    return _NOTHING


def _contradicts(socket: Socket, end: End) -> bool:
    """Whether the packets went further than this socket: then it is a later one."""
    some_fin = min(end.fin_sent_ns, end.fin_received_ns) != NEVER
    return some_fin and socket.state in _BEFORE_ANY_FIN
