"""Exactly mergeable blocks that reports are made of. They know columns, never packets.

- `keyed`: values by key, in little memory, with a cap on the keys; under it `places` orders keys,
  `recent` takes rows in, `runs` sorts them; `totals` is what it has to say
- `quantize`: the power-of-two buckets of a histogram
- `quantiles`: distributions by key whose quantiles are within 1 %
- `labels`: sets of a few names as the bits of an integer
"""

from tcpsnoop.accumulate.keyed import Keyed
from tcpsnoop.accumulate.labels import Labels
from tcpsnoop.accumulate.quantiles import Distributions, Quantiles
from tcpsnoop.accumulate.quantize import POWERS_OF_TWO, lower_bounds
from tcpsnoop.accumulate.totals import Totals

__all__ = [
    "POWERS_OF_TWO",
    "Distributions",
    "Keyed",
    "Labels",
    "Quantiles",
    "Totals",
    "lower_bounds",
]
