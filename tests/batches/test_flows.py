"""Hashes of a segment's ends: of both directions the same, of other ends others, and secret."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcpsnoop.batches.flows import flow_keys, flow_of
from tcpsnoop.batches.segments import SEGMENT, SegmentBatch
from tcpsnoop.kernel import kernel

HALF = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
END = st.tuples(HALF, HALF, st.integers(0, 65535) | st.integers(0, 3))
End = tuple[int, int, int]

SECRET = "from tcpsnoop.batches.flows import flow_keys; print(flow_keys().tolist())"


LARGEST = np.full(9, (1 << 27) - 1)


def flow(source: End, destination: End, keys: NDArray[np.int64] | None = None) -> tuple[int, int]:
    """The hash, and the end that sent it; as a kernel has them."""
    keys = flow_keys() if keys is None else keys
    segment = np.zeros(1, SEGMENT)
    for name, end in (("source", source), ("destination", destination)):
        segment[f"{name}_high"], segment[f"{name}_low"], segment[f"{name}_port"] = end
    found = int(compiled(segment, keys))
    assert found == int(flow_of(segment[0], keys))
    assert 0 <= found < 1 << 38
    return found >> 1, found & 1


def of_first(segments: SegmentBatch, keys: NDArray[np.int64]) -> int:
    """The flow of a batch's first segment."""
    return int(flow_of(segments[0], keys))


compiled = kernel(of_first)


@given(END, END)
def test_both_directions_are_one_conversation(one: End, other: End) -> None:
    there, sender = flow(one, other)
    back, answers = flow(other, one)
    assert there == back
    # The first end is the lower one: by the low half of its address, the high one, its port.
    mine, theirs = ((low, high, port) for high, low, port in (one, other))
    assert (sender, answers) == (mine > theirs, theirs > mine)


@given(END, END, st.integers(0, 5), st.integers(0, 62))
def test_every_bit_of_the_ends_counts(one: End, other: End, place: int, bit: int) -> None:
    """Not by chance: no product of a bit and these multipliers is lost."""
    words = [*one, *other]
    words[place] ^= 1 << (bit % 16 if place % 3 == 2 else bit)
    changed = (words[0], words[1], words[2]), (words[3], words[4], words[5])
    assert flow(one, other, LARGEST)[0] != flow(*changed, LARGEST)[0]


def test_few_conversations_share_a_hash() -> None:
    ends = [(0, 0xFFFF_0A00_0000 | number, 1024) for number in range(60)]
    found = {flow(one, other)[0] for one, other in permutations(ends, 2)}
    assert len(found) == 60 * 59 / 2


def test_the_multipliers_are_secret() -> None:
    """Who sends packets cannot know which conversations share a bucket."""
    keys = [
        subprocess.run([sys.executable, "-c", SECRET], capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    assert keys[0] != keys[1]
    assert flow_keys() is flow_keys()
    assert all(key % 2 == 1 and 0 < key < 2**27 for key in flow_keys().tolist())
