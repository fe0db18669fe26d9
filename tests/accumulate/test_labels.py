"""Sets of labels as bits: what goes in comes out, also from another numbering."""

from __future__ import annotations

import numpy as np

from tcpsnoop.accumulate.labels import Labels


def test_bits_of_a_set_name_its_labels() -> None:
    labels = Labels("beyond")
    red, green = labels.bit("red"), labels.bit("green")
    assert labels.bit("red") == red
    assert labels.of(red) == ["red"]
    assert labels.of(red | green) == ["red", "green"]
    assert labels.of(0) == []


def test_sets_of_another_numbering_are_translated() -> None:
    here, there = Labels("beyond"), Labels("beyond")
    here.bit("red")
    sets = [there.bit("blue") | there.bit("red"), there.bit("blue"), 0]
    translated = here.translated(np.array(sets), there)
    assert [sorted(here.of(bits)) for bits in translated.tolist()] == [
        ["blue", "red"],
        ["blue"],
        [],
    ]


def test_too_many_labels_share_the_last_bit() -> None:
    labels = Labels("beyond", bits=4)
    bits = [labels.bit(str(number)) for number in range(6)]
    assert [labels.of(each) for each in bits] == [
        ["0"],
        ["1"],
        ["2"],
        ["beyond"],
        ["beyond"],
        ["beyond"],
    ]
    assert max(bits) < 1 << 4
    assert Labels("beyond", bits=63).bit("x") == 1
