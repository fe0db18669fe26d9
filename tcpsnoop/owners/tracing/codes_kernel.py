"""From processes to codes of owners: rows get them here, and the rest of naming is for new ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, kernel
from tcpsnoop.owners.tracing.matching_kernel import EXACTLY
from tcpsnoop.owners.tracing.tables import NONE, TO_BE_NAMED, Tables


@kernel
def unnamed(
    answers: NDArray[np.uint8],
    processes: NDArray[np.int64],
    tables: Tables,
    places: NDArray[np.int64],
) -> Integer:
    """How many places of processes that have no code yet were written to `places`, each once.

    When there is no room for more, some are left for the next call.
    """
    count = 0
    for index in range(answers.size):
        if answers[index] != EXACTLY or count == places.size:
            continue
        number = np.int64(processes[index])
        place = number & (tables.processes.size - 1)
        one = tables.processes[place]
        if one["number"] == number and one["code"] == NONE:
            one["code"] = TO_BE_NAMED
            places[count] = place
            count += 1
    return count


@kernel
def encode(
    rows: NDArray[np.void],
    answers: NDArray[np.uint8],
    processes: NDArray[np.int64],
    ends: NDArray[np.void],
    tables: Tables,
    codes: NDArray[np.int32],
) -> None:
    """The codes of rows that are EXACTLY of a process; of a forgotten one, that of its last row."""
    for index in range(rows.size):
        if answers[index] != EXACTLY:
            continue
        row = rows[index]
        key = np.int64(row["connection"]) * 2 + np.int64(row["end"])
        end = ends[key & (ends.size - 1)]
        number = np.int64(processes[index])
        one = tables.processes[number & (tables.processes.size - 1)]
        if one["number"] == number:
            end["code"] = one["code"]
        codes[index] = end["code"]
