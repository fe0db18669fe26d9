"""Rows get the codes of their processes; what has no code yet is asked for once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.probes import ORIGINATOR, PROBE_ROW, RESPONDER
from tcpsnoop.owners.tracing.codes_kernel import encode, unnamed
from tcpsnoop.owners.tracing.matching_kernel import EXACTLY, no_ends
from tcpsnoop.owners.tracing.tables import NONE, TO_BE_NAMED, Tables, make_process, make_tables

OTHERWISE = EXACTLY + 1  # an answer that is not of one process


def answered(*numbers: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Answers that are EXACTLY these processes, by number; negative ones are not."""
    answers = [EXACTLY if number >= 0 else OTHERWISE for number in numbers]
    return np.array(answers, np.uint8), np.array(numbers, np.int64)


def rows_of(*ends: tuple[int, int]) -> NDArray[np.void]:
    """Rows of probes, each of a connection and one of its ends."""
    rows = np.zeros(len(ends), PROBE_ROW)
    rows["connection"], rows["end"] = zip(*ends, strict=True)
    return rows


def number_of(tables: Tables, pid: int) -> int:
    """The number of a new process."""
    return int(tables.processes[make_process(tables, pid, 1)]["number"])


def test_who_has_no_code_is_asked_for_once() -> None:
    tables = make_tables(16, sockets=4, processes=8)
    one, two = number_of(tables, 1), number_of(tables, 2)
    places = np.zeros(8, np.int64)
    assert unnamed(*answered(one, -1, two, one, two), tables, places) == 2
    asked = [int(place) for place in places[:2]]
    assert [int(tables.processes[place]["number"]) for place in asked] == [one, two]
    assert {int(tables.processes[place]["code"]) for place in asked} == {TO_BE_NAMED}
    assert unnamed(*answered(one, two), tables, places) == 0


def test_what_finds_no_room_is_left_for_the_next_call() -> None:
    tables = make_tables(16, sockets=4, processes=8)
    numbers = [number_of(tables, pid) for pid in (1, 2, 3)]
    places = np.zeros(2, np.int64)
    counts = [unnamed(*answered(*numbers), tables, places) for _ in range(3)]
    assert counts == [2, 1, 0]


def test_nobody_is_asked_for_a_process_that_was_forgotten() -> None:
    tables = make_tables(16, sockets=4, processes=4)
    forgotten = number_of(tables, 1)
    tables.processes["number"] = NONE  # its place was taken
    assert unnamed(*answered(forgotten), tables, np.zeros(4, np.int64)) == 0


def test_rows_get_the_code_of_their_process() -> None:
    tables = make_tables(16, sockets=4, processes=8)
    one, two = number_of(tables, 1), number_of(tables, 2)
    for number, code in ((one, 11), (two, 22)):
        tables.processes["code"][tables.processes["number"] == number] = code
    codes = np.full(3, 7, np.int32)
    rows = rows_of((5, ORIGINATOR), (5, RESPONDER), (6, ORIGINATOR))
    encode(rows, *answered(one, two, -1), no_ends(16), tables, codes)
    assert codes.tolist() == [11, 22, 7]


def test_of_a_forgotten_process_it_is_that_of_the_ends_last_row() -> None:
    tables = make_tables(16, sockets=4, processes=8)
    number = number_of(tables, 1)
    tables.processes["code"][tables.processes["number"] == number] = 11
    ends, codes = no_ends(16), np.zeros(1, np.int32)
    encode(rows_of((5, ORIGINATOR)), *answered(number), ends, tables, codes)
    tables.processes["number"] = NONE
    codes[0] = 0
    encode(rows_of((5, ORIGINATOR)), *answered(number), ends, tables, codes)
    assert codes.tolist() == [11]
