"""Exactly mergeable blocks that reports are made of. They know columns, never packets.

- `keyed`: values by key, in little memory, with a cap on the keys; `runs` is the sorting under it,
  `totals` what it has to say
- `quantize`: the power-of-two buckets of a histogram
- `quantiles`: distributions by key whose quantiles are within 1 %
- `labels`: sets of a few names as the bits of an integer
"""

from tcpsnoop.accumulate.keyed import Keyed
from tcpsnoop.accumulate.labels import Labels
from tcpsnoop.accumulate.quantiles import Distributions, Quantiles
from tcpsnoop.accumulate.quantize import buckets_of, lower_bounds
from tcpsnoop.accumulate.totals import Totals

__all__ = [
    "Distributions",
    "Keyed",
    "Labels",
    "Quantiles",
    "Totals",
    "buckets_of",
    "lower_bounds",
]
