"""Places of records, and their chains."""

from __future__ import annotations

from tcpsnoop.owners.tracing.tables import (
    CALLER,
    FORGOTTEN,
    NONE,
    Tables,
    bury,
    find_socket,
    link_ends,
    make_process,
    make_socket,
    make_tables,
    mixed,
    unlink_ends,
)


def test_sockets_are_found_by_their_address_while_they_live() -> None:
    tables = make_tables(10, sockets=16, processes=16)
    places = [make_socket(tables, 0x1000 * n, n, CALLER) for n in range(16)]
    assert [find_socket(tables, 0x1000 * n) for n in range(16)] == places
    for n in range(0, 16, 2):
        bury(tables, places[n])
    found = [find_socket(tables, 0x1000 * n) for n in range(16)]
    assert found == [NONE if n % 2 == 0 else places[n] for n in range(16)]


def test_the_living_are_skipped_and_when_all_live_one_is_forgotten() -> None:
    tables = make_tables(10, sockets=4, processes=4)
    first = make_socket(tables, 1, 1, CALLER)
    for number in range(2, 20):
        bury(tables, make_socket(tables, number, 1, CALLER))
    assert find_socket(tables, 1) == first
    assert tables.state[FORGOTTEN] == 0
    for number in range(20, 24):
        make_socket(tables, number, 1, CALLER)
    assert tables.state[FORGOTTEN] == 1


def chain(tables: Tables, bucket: int) -> list[int]:
    at = int(tables.by_ends[bucket])
    found: list[int] = []
    while at != NONE:
        found.append(at)
        at = int(tables.sockets[at]["next_ends"])
    return found


def test_sockets_of_the_same_ends_are_one_chain_the_latest_first() -> None:
    tables = make_tables(10, sockets=8, processes=8)
    places = [make_socket(tables, n, n, CALLER) for n in range(4)]
    for place in places:
        link_ends(tables, place)
    bucket = int(tables.sockets[0]["bucket"])
    assert chain(tables, bucket) == [3, 2, 1, 0]
    unlink_ends(tables, 2)
    unlink_ends(tables, 2)
    assert chain(tables, bucket) == [3, 1, 0]
    unlink_ends(tables, 3)
    unlink_ends(tables, 0)
    assert chain(tables, bucket) == [1]
    link_ends(tables, 0)
    assert chain(tables, bucket) == [0, 1]


def test_places_of_processes_that_have_ended_are_used_again() -> None:
    tables = make_tables(100, sockets=4, processes=4)
    for pid in range(4):
        make_process(tables, pid, 1)
    tables.processes["exit_ns"][2] = 5
    assert make_process(tables, 50, 6) == 2
    assert tables.processes["number"][2] == tables.by_pid[50] == 6


def test_the_low_bits_depend_on_all_bits() -> None:
    hashes = {mixed(0, 1 << bit) & 0xFFF for bit in range(63)}
    assert len(hashes) > 60
