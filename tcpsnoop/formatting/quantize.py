"""The histogram that DTrace's quantize prints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

BAR = 40

_HEADER = f"{'value':>16} {'------------- Distribution -------------':>41} {'count':<9}\n"


@lru_cache(maxsize=4096)
def histogram(buckets: Sequence[tuple[int, int]]) -> str:
    """The lines that DTrace's quantize prints for buckets [2^k, 2^(k+1)); 0 is its own.

    One empty bucket stands before the first and after the last with a count (before 0 it is -1,
    where the bucket of the negative values begins), and those between are printed too.
    """
    counts = {lower: count for lower, count in buckets if count > 0}
    lines = [_HEADER]
    if counts:
        total = sum(counts.values())
        lower, last = _below(min(counts)), _above(max(counts))
        while lower <= last:
            lines.append(_bar(lower, counts.get(lower, 0), total))
            lower = _above(lower)
    return "".join(lines)


def _above(lower: int) -> int:
    return lower * 2 if lower > 0 else lower + 1


def _below(lower: int) -> int:
    return lower // 2 if lower > 0 else lower - 1


def _bar(lower: int, count: int, total: int) -> str:
    depth = (count * BAR * 2 + total) // (2 * total)  # rounded, half up, without floats
    return f"{lower:16d} |{'@' * depth:<{BAR}} {count:<9d}\n"
