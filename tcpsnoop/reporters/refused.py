"""Connections that failed, a line each, with the reason.

`refused`: a RST answered the SYN. `timeout`: nothing did, after so many SYNs. `unreachable`: an
ICMP error quoted the connection; it is decoded, with its sender. `forged reset`: a RST whose TTL is
not that of the segments its sender sent before, so something in between sent it, as firewalls do.
-> is a connection that this host made, <- one that was made to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import (
    ACCEPT_REFUSED,
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    ORIGINATOR,
    RESET,
    UNREACHABLE,
)
from tcpsnoop.batches.rows import chosen
from tcpsnoop.interfaces.ends import ADDRESSES, ROLE, Ends, end_values
from tcpsnoop.interfaces.ownership import ATTRIBUTION, PROCESS, owner_values
from tcpsnoop.report import Align, Cell, Column, Kind, Line, Schema, Table, Values

REASONS = ("refused", "timeout", "unreachable", "forged reset")

SCHEMA = Schema(
    columns=(
        Column("time", Kind.TIME, "time of the packet that shows it, or of giving up"),
        *PROCESS,
        *ADDRESSES,
        ROLE,
        Column("cause", Kind.TEXT, f"one of {', '.join(REASONS)}"),
        Column("icmp", Kind.TEXT, "what the ICMP error says"),
        Column("icmp_sender", Kind.ADDRESS, "who sent the ICMP error"),
        Column("ttl", Kind.INTEGER, "TTL or hop limit of the RST"),
        Column("ttl_before", Kind.INTEGER, "of a forged reset: TTL of the sender's last segment"),
        Column("retries", Kind.INTEGER, "times the SYN was sent again"),
        Column("elapsed_seconds", Kind.SECONDS, "since the first SYN"),
        *ATTRIBUTION,
    ),
    layout=Line(
        f"{'PID':<7} {'COMM':<12} {'LADDR':<15} {'LPORT':<5} D  {'RADDR':<15} {'RPORT':<5} "
        f"{'MS':<9} {'RETRIES':<7} {'ICMP FROM':<15} CAUSE",
        (
            Cell("pid", 7, Align.LEFT),
            " ",
            Cell("command", 12, Align.LEFT),
            " ",
            Cell("laddr", 15, Align.LEFT),
            " ",
            Cell("lport", 5, Align.LEFT),
            " ",
            Cell("arrow", 2),
            " ",
            Cell("raddr", 15, Align.LEFT),
            " ",
            Cell("rport", 5, Align.LEFT),
            " ",
            Cell("elapsed_seconds", 9, Align.LEFT, unit=1_000_000, decimals=2),
            " ",
            Cell("retries", 7, Align.LEFT),
            " ",
            Cell("icmp_sender", 15, Align.LEFT),
            " ",
            Cell("why"),
        ),
    ),
)

# Codes of "destination unreachable": RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1.
_UNREACHABLE_4 = (
    "net unreachable",
    "host unreachable",
    "protocol unreachable",
    "port unreachable",
    "fragmentation needed",
    "source route failed",
    "net unknown",
    "host unknown",
    "source host isolated",
    "net prohibited",
    "host prohibited",
    "net unreachable for TOS",
    "host unreachable for TOS",
    "administratively prohibited",
    "host precedence violation",
    "precedence cutoff",
)
# RFC 4443 section 3.1.
_UNREACHABLE_6 = (
    "no route",
    "administratively prohibited",
    "beyond scope of source address",
    "address unreachable",
    "port unreachable",
    "source address failed policy",
    "reject route",
)
_EXCEEDED = ("TTL exceeded", "reassembly time exceeded")
# Names of codes by version and type.
_MESSAGES = {
    (4, 3): _UNREACHABLE_4,
    (4, 11): _EXCEEDED,
    (4, 12): ("parameter problem",) * 3,
    (6, 1): _UNREACHABLE_6,
    (6, 3): _EXCEEDED,
    (6, 4): ("parameter problem",) * 3,
}
# "Too big" is how the size of packets is found (RFC 1191, RFC 8201): nothing has failed.
_FRAGMENTATION_NEEDED = (4, 3, 4)

_REASON_OF = np.full(256, REASONS.index("refused"), np.int64)
_REASON_OF[CONNECT_TIMEOUT] = REASONS.index("timeout")
_REASON_OF[UNREACHABLE] = REASONS.index("unreachable")
_REASON_OF[RESET] = REASONS.index("forged reset")


# What a cause is explained by, beside the reason: columns of DETAIL.
_FACTS = ("new", "kind", "code", "ttl", "old")


@dataclass
class Refused(Ends):
    """A log of failures; keeps nothing."""

    probes: ClassVar[tuple[str, ...]] = (
        "connect-refused",
        "accept-refused",
        "connect-timeout",
        "unreachable",
        "reset",
    )

    @property
    def schema(self) -> Schema:
        """The columns, and a line."""
        return SCHEMA

    @property
    def needs_frames(self) -> bool:
        """Nothing is decoded."""
        return False

    def rows(self, batch: ProbeBatch) -> Table:
        """A row for each failure."""
        origin = np.flatnonzero(self.chosen(batch.rows) & _failed(batch))
        batch = batch.take(origin)
        rows = batch.rows
        details = chosen(batch.details, rows["detail"])
        probe, reason = rows["probe"], _REASON_OF[rows["probe"]]
        # A reset says nothing of the SYN, a timeout has no segment.
        is_reset = probe == RESET
        by_rst = np.isin(probe, (CONNECT_REFUSED, ACCEPT_REFUSED, RESET))
        retries = np.where(is_reset, -1, details["count"])
        sender = np.stack((details["sender_high"], details["sender_low"]), axis=1)
        facts = np.stack([reason, *(details[name] for name in _FACTS)], axis=1)
        different, found = np.unique(facts, axis=0, return_inverse=True)
        told = [_explained(*fact) for fact in different.tolist()]
        messages, sentences = zip(*told, strict=True) if told else ((), ())
        values = {
            "time": Values(rows["time_ns"], digits=rows["digits"]),
            "cause": Values(reason, REASONS),
            "icmp": Values(found, messages, known=probe == UNREACHABLE),
            "icmp_sender": Values(sender, known=probe == UNREACHABLE),
            "ttl": Values(np.where(by_rst, details["ttl"].astype(np.int64), -1)),
            "ttl_before": Values(np.where(is_reset, details["old"].astype(np.int64), -1)),
            "retries": Values(retries),
            "elapsed_seconds": Values(np.where(is_reset, -1, details["elapsed_ns"])),
            "arrow": Values(np.where(rows["end"] == ORIGINATOR, 1, 0), ("<-", "->")),
            "why": Values(found, sentences),
        }
        values |= end_values(batch) | owner_values(batch.owners, len(rows))
        return Table(SCHEMA, values, origin)


def _failed(batch: ProbeBatch) -> NDArray[np.bool_]:
    """Which rows are failures: not every RST nor every ICMP error is one."""
    details = chosen(batch.details, batch.rows["detail"])
    probe = batch.rows["probe"]
    forged = (details["old"] != 0) & (details["old"] != details["ttl"])
    errors = np.stack([details[name].astype(np.int64) for name in ("new", "kind", "code")])
    fails = np.isin(errors[0] << 8 | errors[1], [v << 8 | kind for v, kind in _MESSAGES])
    fails &= (errors.T != _FRAGMENTATION_NEEDED).any(axis=1)
    wanted: NDArray[np.bool_] = (probe != RESET) | forged
    wanted &= (probe != UNREACHABLE) | fails
    return wanted


def _explained(
    reason: int, version: int, kind: int, code: int, ttl: int, before: int
) -> tuple[str, str]:
    """What an ICMP error says (nothing of the others), and the cause as a sentence."""
    codes = _MESSAGES.get((version, kind), ())
    message = codes[code] if code < len(codes) else f"type {kind} code {code}"
    sentences = {
        "unreachable": f"unreachable: {message}",
        "forged reset": f"forged reset (TTL {ttl}, before {before})",
    }
    return message, sentences.get(REASONS[reason], REASONS[reason])
