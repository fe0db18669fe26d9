"""The memory of ends: by connection, bounded, and quick to ask for many rows."""

from __future__ import annotations

import numpy as np

from tcpsnoop.owners.ends import ALWAYS, End, Ends
from tcpsnoop.owners.evidence import NEVER, Sighting


def end(connection: int, responder: int = 0, ends: bytes = b"") -> End:
    return End(2 * connection + responder, ends or b"%d" % connection, b"remote", (0, 0))


def codes(ends: Ends, *keys: int) -> list[int | None]:
    found, known = ends.codes(np.array(keys), np.zeros(len(keys), np.int64), 99)
    assert found.dtype == np.int32
    return [code if is_known else None for code, is_known in zip(found, known, strict=True)]


def test_answers_are_found_for_many_rows_at_once() -> None:
    ends = Ends(8)
    first, second = end(1), end(2)
    ends.add(first)
    ends.add(second)
    ends.answer(first, 5, ALWAYS)
    assert codes(ends, 2, 4, 2, 6, 3) == [5, 0, 5, None, None]


def test_an_end_knows_its_connection_and_side() -> None:
    assert (end(7).connection, end(7).is_responder) == (7, False)
    assert (end(7, 1).connection, end(7, 1).is_responder) == (7, True)


def test_an_answer_holds_from_a_time_on() -> None:
    ends = Ends(8)
    one = end(1)
    ends.add(one)
    ends.answer(one, 5, 1000)
    found, known = ends.codes(np.array([2, 2, 2]), np.array([999, 1000, 1001]), 99)
    assert found.tolist() == [99, 5, 5]
    assert known.all()


def sighting(fin_sent: int = NEVER, fin_received: int = NEVER, ended: int = NEVER) -> Sighting:
    return Sighting(2, (0, 0), 1, (0, 0), 2, 0, 0, NEVER, 0, fin_sent, fin_received, ended)


def test_a_connection_is_over_after_both_fins_or_what_ends_it_at_once() -> None:
    one = end(1)
    assert (one.over, one.over_ns) == (False, NEVER)
    one.note(sighting())
    one.note(sighting(fin_sent=300))
    assert not one.over
    one.note(sighting(fin_received=200))
    assert (one.over, one.over_ns) == (True, 300)
    one.note(sighting(fin_sent=400, fin_received=500))  # sent again
    assert one.over_ns == 300
    one.note(sighting(ended=250))
    assert one.over_ns == 250
    other = end(2)
    other.note(sighting(ended=100))
    assert (other.over, other.over_ns) == (True, 100)


def test_ends_that_meet_in_one_place_are_both_remembered() -> None:
    ends = Ends(4)
    far_apart = 1 << 20
    one, other = end(1), end(1 + far_apart)
    ends.add(one)
    ends.add(other)
    ends.answer(one, 5, ALWAYS)
    ends.answer(other, 6, ALWAYS)
    for _ in range(2):
        assert ends.get(one.key) is one
        assert codes(ends, one.key) == [5]
        assert ends.get(other.key) is other
        assert codes(ends, other.key) == [6]
    assert ends.peek(one.key) is one
    assert codes(ends, one.key, other.key) == [None, 6]


def test_the_oldest_is_forgotten() -> None:
    ends = Ends(3)
    made = [end(number) for number in range(5)]
    forgotten = [ends.add(each)[1] for each in made]
    assert forgotten == [None, None, None, made[0], made[1]]
    assert len(ends) == 3
    assert codes(ends, *(each.key for each in made)) == [None, None, 0, 0, 0]
    # Its successor is in nobody's place.
    assert ends.add(end(9, ends=b"0"))[0] is None


def test_a_newer_connection_comes_in_the_place_of_an_older_one() -> None:
    ends = Ends(8)
    old, new, late = end(1, ends=b"x"), end(5, ends=b"x"), end(3, ends=b"x")
    assert ends.add(old) == (None, None)
    assert ends.add(new) == (old, None)
    assert ends.add(late) == (None, None)
    assert (new.over, late.over) == (False, True)


def test_both_ends_of_a_socket_connected_to_itself_live_together() -> None:
    ends = Ends(8)
    one, other = end(1, 0, b"x"), end(1, 1, b"x")
    ends.add(one)
    assert ends.add(other) == (None, None)
    assert not other.over
