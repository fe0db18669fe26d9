"""The best lookup that this machine and our rights allow, and why it is no better."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tcpsnoop.owners.diag.access import open_access
from tcpsnoop.owners.local_addresses import LocalAddresses
from tcpsnoop.owners.merged import Merged
from tcpsnoop.owners.pool import OwnerPool
from tcpsnoop.owners.processes import EVERYTHING, Wanted
from tcpsnoop.owners.procfs import Procfs, seconds_since_boot
from tcpsnoop.owners.tracing.formats import (
    LEFT_BY_ROOT,
    TracingUnavailableError,
    read_tracepoints,
    save_tracepoints,
)
from tcpsnoop.owners.tracing.host import Witness, here
from tcpsnoop.owners.tracing.perf import PerfRings
from tcpsnoop.owners.tracing.traced import Rings, Traced
from tcpsnoop.owners.tracing.tracefs import InstanceRings


def open_lookup(
    now_ns: Callable[[], int],
    wanted: Wanted = EVERYTHING,
    *,
    tracing: bool = True,
    tracepoints: Path | None = None,
    calls: bool = True,
) -> Merged:
    """A lookup for live packets, stamped by `now_ns`; never raises.

    `wanted`: what is to be known of processes besides their names; `tracing`: the kernel's record
    may be asked for; `tracepoints`: what `--prepare` wrote; `calls`: send calls will be taken.
    """
    pool = OwnerPool()
    traced, why_not = None, "--no-tracing"
    if tracing:
        traced, why_not = open_tracing(now_ns, pool, tracepoints, wanted, calls=calls)
    return Merged(pool, Procfs(now_ns, pool=pool, access=open_access()), traced, why_not)


def open_tracing(
    now_ns: Callable[[], int],
    pool: OwnerPool,
    given: Path | None,
    wanted: Wanted = EVERYTHING,
    witness: Witness | None = None,
    *,
    calls: bool = True,
) -> tuple[Traced | None, str]:
    """The kernel's record, tested; or None, and why not. `witness` hears all that is taken in."""
    reasons: list[str] = []
    try:
        found = read_tracepoints(given)
    except TracingUnavailableError as error:
        return None, str(error)
    if os.geteuid() == 0 and given is None:
        with suppress(OSError):  # where /run cannot be written, nobody else is helped
            save_tracepoints(found, LEFT_BY_ROOT)
    for make in (PerfRings, InstanceRings):
        rings: Rings | None = None
        try:
            rings = make(found)
            addresses = LocalAddresses(Path("/proc/net"), seconds_since_boot)
            traced = Traced(
                rings,
                now_ns,
                pool,
                addresses,
                wanted=wanted,
                host=here("/proc", now_ns, wanted, witness),
                told=None if witness is None else witness.begin(),
                calls=calls,
            )
            traced.begin()
            return traced, ""
        except (TracingUnavailableError, OSError) as error:
            reasons.append(str(error))
            if rings is not None:
                rings.close()
    return None, "; ".join(reasons)
