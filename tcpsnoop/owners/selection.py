"""Which owners a user asks for with `-p PID` and `--command NAME`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.owners import Owner, Process


def matching(
    pool: Sequence[Owner],
    pids: Collection[int] = (),
    commands: Collection[str] = (),
    start: int = 0,
) -> NDArray[np.bool_]:
    """For each owner of `pool` from `start` on, whether a process that it names is asked for.

    One process must have one of the PIDs and one of the short names; none given means any. An owner
    of quality `shared` matches when one of its holders does; `unknown` matches nobody. A pool only
    grows: who asks again can keep the answer and ask for the rest with `start`.
    """

    def asked_for(process: Process) -> bool:
        return (not pids or process.pid in pids) and (not commands or process.command in commands)

    return np.fromiter(
        (any(map(asked_for, owner.processes)) for owner in islice(pool, start, None)), np.bool_
    )
