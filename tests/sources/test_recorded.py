"""What is known of a file: names that count."""

from __future__ import annotations

from tcpsnoop.sources.recorded import MOST_NAMES, Recorded


def test_the_first_name_of_an_address_counts_and_not_too_many_are_kept() -> None:
    recorded = Recorded()
    recorded.name_host((0, 1), "first")
    recorded.name_host((0, 1), "second")
    for number in range(MOST_NAMES + 5):
        recorded.name_host((1, number), "name")
    assert recorded.hosts[0, 1] == "first"
    assert len(recorded.hosts) == MOST_NAMES
