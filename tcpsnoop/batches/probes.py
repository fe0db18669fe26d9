"""Probes: what fired, where, seen from which end. The one table of probes and their fields.

The table below is the truth: `tcpsnoop list probes -v` and the documentation are made from it. It
changes only by adding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import NOBODY_KNOWN, OwnerColumns
from tcpsnoop.batches.packets import PacketBatch

# Numbers of the probes in PROBE_ROW["probe"]; kernels freeze them.
SEND = 0
RECEIVE = 1
CONNECT_REQUEST = 2
CONNECT_ESTABLISHED = 3
CONNECT_REFUSED = 4
ACCEPT_ESTABLISHED = 5
ACCEPT_REFUSED = 6
WRITE = 7
CLOSED = 8
DUPLICATE_FRAME = 9
# From here on by the kernel's record of calls, not by packets.
APPLICATION_WRITE = 32

# Which end of a connection a row is seen from.
ORIGINATOR = 0
RESPONDER = 1

# Why a connection ended (SEMANTICS 11), in CLOSED_ROW["end_reason"].
END_REASONS = (
    "fin",
    "rst_originator",
    "rst_responder",
    "idle",
    "end_of_input",
    "evicted",
    "reused",
)


@dataclass(frozen=True)
class Field:
    """A column of a probe's rows: its name, the type for people, and what it holds."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Probe:
    """A probe: when it fires, and the fields it has beside the common ones."""

    name: str
    number: int
    fires: str
    fields: tuple[Field, ...] = ()


COMMON_FIELDS = (
    Field("packet", "integer", "number of the packet it fired at, from 1"),
    Field("time_ns", "integer", "time of that packet, nanoseconds since the epoch, UTC"),
    Field("connection", "integer", "number of the connection, unique in a run"),
    Field("end", "originator, responder", "the end it is seen from, which stands at the left"),
    Field("laddr", "address", "address of that end"),
    Field("lport", "integer", "port of that end"),
    Field("raddr", "address", "address of the other end"),
    Field("rport", "integer", "port of the other end"),
    Field("direction", "-> or <-", "-> the segment was sent by the end at the left, <- received"),
    Field("bytes", "integer", "payload bytes of the segment; of a write, its size"),
    Field("flags", "flags", "TCP flags of the segment"),
    Field("duplicate", "boolean", "the frame is a copy of one seen before"),
    Field("pid", "integer", "process that owns that end, when it is known"),
    Field("command", "text", "the kernel's short name of that process"),
    Field("uid", "integer", "user of that process"),
    Field("attribution", "text", "how the process is known, or unknown"),
)

_CLOSED_FIELDS = (
    Field("start_ns", "integer", "time of the connection's first segment"),
    Field("end_reason", "text", f"one of {', '.join(END_REASONS)}"),
    Field("midstream", "boolean", "the capture began after the handshake"),
    Field("tx_segments", "integer", "segments sent by the end at the left"),
    Field("rx_segments", "integer", "segments it received"),
    Field("tx_payload", "integer", "payload bytes it sent, retransmissions counted again"),
    Field("rx_payload", "integer", "payload bytes it received, likewise"),
    Field("tx_retransmitted", "integer", "payload bytes it sent that were already seen"),
    Field("rx_retransmitted", "integer", "payload bytes it received that were already seen"),
    Field("tx_probe", "integer", "bytes it sent as keep-alive or zero-window probe"),
    Field("rx_probe", "integer", "bytes it received as such"),
)

PROBES: dict[str, Probe] = {
    probe.name: probe
    for probe in (
        Probe("send", SEND, "every segment sent by a local end"),
        Probe("receive", RECEIVE, "every segment received by a local end"),
        Probe("connect-request", CONNECT_REQUEST, "the first SYN of a connection"),
        Probe(
            "connect-established",
            CONNECT_ESTABLISHED,
            "the SYN|ACK that answers it, or a simultaneous open completed",
        ),
        Probe("connect-refused", CONNECT_REFUSED, "a RST that answers a SYN before any SYN|ACK"),
        Probe(
            "accept-established",
            ACCEPT_ESTABLISHED,
            "the originator's first segment with ACK and no SYN or RST that acknowledges the "
            "SYN|ACK; once a connection",
        ),
        Probe("accept-refused", ACCEPT_REFUSED, "a RST that answers a SYN before any SYN|ACK"),
        Probe("write", WRITE, "an application write as the wire shows it: new bytes up to PUSH"),
        Probe(
            "closed",
            CLOSED,
            "the end of a connection: FIN both ways, RST, end of input, evicted or reused",
            _CLOSED_FIELDS,
        ),
        Probe("duplicate-frame", DUPLICATE_FRAME, "a frame that was captured twice"),
        Probe(
            "application-write",
            APPLICATION_WRITE,
            "a send call of a process, by the kernel's record: live only; no packet is named",
        ),
    )
}

# A fired probe. `detail` is the row's index among the probe's own rows (CLOSED_ROW), else -1.
PROBE_ROW = np.dtype(
    [
        ("packet", "i8"),
        ("time_ns", "i8"),
        ("clock_ns", "i8"),  # capture time
        ("connection", "i8"),
        ("laddr_high", "i8"),
        ("laddr_low", "i8"),
        ("raddr_high", "i8"),
        ("raddr_low", "i8"),
        ("bytes", "i8"),  # -1 unknown
        ("frame_bytes", "i4"),  # -1 unknown
        ("interface", "i4"),
        ("frame", "i4"),  # index of the packet in its PacketBatch, -1 none
        ("detail", "i4"),
        ("lport", "u2"),
        ("rport", "u2"),
        ("flags", "u2"),
        ("probe", "u1"),
        ("end", "u1"),
        ("outgoing", "u1"),  # 1: sent by the end at the left
        ("duplicate", "u1"),
        ("remote_local", "u1"),  # 1: the end at the right is local too
        ("digits", "u1"),
    ],
    align=True,
)

# What `closed` adds; times in nanoseconds, the rest counts of segments and bytes.
CLOSED_ROW = np.dtype(
    [
        ("start_ns", "i8"),
        ("tx_payload", "i8"),
        ("rx_payload", "i8"),
        ("tx_retransmitted", "i8"),
        ("rx_retransmitted", "i8"),
        ("tx_probe", "i8"),
        ("rx_probe", "i8"),
        ("tx_segments", "i8"),
        ("rx_segments", "i8"),
        ("end_reason", "u1"),
        ("midstream", "u1"),
    ],
    align=True,
)


@dataclass(frozen=True)
class ProbeBatch:
    """Fired probes in the order they fired; valid until the next batch.

    `rows` has dtype PROBE_ROW; `closed` dtype CLOSED_ROW, pointed at by `rows["detail"]`.
    `owners` has a row for each of `rows`. `packets` is there only for reporters that need frames.
    """

    rows: NDArray[np.void]
    closed: NDArray[np.void] = field(default_factory=lambda: np.empty(0, CLOSED_ROW))
    owners: OwnerColumns = NOBODY_KNOWN
    packets: PacketBatch | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> ProbeBatch:
        """The chosen rows, with what belongs to them."""
        return ProbeBatch(self.rows[index], self.closed, self.owners.take(index), self.packets)

    def of(self, *names: str) -> ProbeBatch:
        """The rows of the named probes."""
        return self.take(np.isin(self.rows["probe"], [PROBES[name].number for name in names]))

    @property
    def laddr(self) -> NDArray[np.int64]:
        """Addresses of the end at the left, shape (n, 2)."""
        return np.stack((self.rows["laddr_high"], self.rows["laddr_low"]), axis=1)

    @property
    def raddr(self) -> NDArray[np.int64]:
        """Addresses of the end at the right, shape (n, 2)."""
        return np.stack((self.rows["raddr_high"], self.rows["raddr_low"]), axis=1)
