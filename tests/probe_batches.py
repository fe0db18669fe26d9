"""Probe batches written by hand: what a reporter is given, without a capture and without stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import NOT_ASKED, Owner, OwnerColumns
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CLOSED, CLOSED_ROW, DETAIL, PROBE_ROW, PROBES

# 2006-05-13 08:00:00 UTC
START_NS = 1_147_507_200_000_000_000


def row(probe: str, local: str, remote: str, **fields: int) -> dict[str, Any]:
    """A fired probe between two `ADDRESS PORT`; other fields of PROBE_ROW and its own by name."""
    laddr, lport = local.split()
    raddr, rport = remote.split()
    laddr_high, laddr_low = halves(laddr)
    raddr_high, raddr_low = halves(raddr)
    return {
        "probe": PROBES[probe].number,
        "time_ns": START_NS,
        "digits": 6,
        "laddr_high": laddr_high,
        "laddr_low": laddr_low,
        "lport": int(lport),
        "raddr_high": raddr_high,
        "raddr_low": raddr_low,
        "rport": int(rport),
        "frame": -1,
        "detail": -1,
        "outgoing": 1 if probe in ("send", "write") else 0,
    } | fields


def batch_of(rows: Sequence[dict[str, Any]], owners: Iterable[Owner] = ()) -> ProbeBatch:
    """The rows as a batch; `owners` has one for each of them, or none when nobody is known."""
    columns = np.zeros(len(rows), PROBE_ROW)
    own = {CLOSED_ROW: np.zeros(len(rows), CLOSED_ROW), DETAIL: np.zeros(len(rows), DETAIL)}
    for index, fields in enumerate(rows):
        details = own[CLOSED_ROW if fields["probe"] == CLOSED else DETAIL]
        for name, value in fields.items():
            if name in (PROBE_ROW.names or ()):
                columns[name][index] = value
            else:
                details[name][index] = value
                columns["detail"][index] = index
    closed, details = own[CLOSED_ROW], own[DETAIL]
    answers = list(owners)
    if not answers:
        return ProbeBatch(columns, closed, details=details)
    assert len(answers) == len(rows)
    pool = list(dict.fromkeys([NOT_ASKED, *answers]))
    codes = np.array([pool.index(answer) for answer in answers], np.int32)
    return ProbeBatch(columns, closed, OwnerColumns(codes, pool), details=details)
