"""Exactly mergeable blocks that reports are made of. They know columns, never packets.

- `keyed`: values by key, in little memory, with a cap on the keys; `runs` is the sorting under it
- `quantize`: the power-of-two buckets of a histogram
- `labels`: sets of a few names as the bits of an integer
"""

from tcpsnoop.accumulate.keyed import Keyed, Totals
from tcpsnoop.accumulate.labels import Labels
from tcpsnoop.accumulate.quantize import buckets_of, lower_bounds

__all__ = ["Keyed", "Labels", "Totals", "buckets_of", "lower_bounds"]
