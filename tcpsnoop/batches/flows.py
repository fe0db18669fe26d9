"""Which conversation a segment belongs to: a hash of its ends that both directions share.

It is computed where the headers are read, and used where connections are found. Multilinear with
secret multipliers (Carter and Wegman 1979): a sender who chooses addresses and ports does not know
which conversations share a bucket.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.kernel import Integer, Row, inlined

# 2 x 32 bits for each half of both addresses, and the ports.
_KEYS = 9
# 27 bits: nine products with 32-bit words stay below 2^63.
_KEY_BITS = (1 << 27) - 1
_WORD = 0xFFFF_FFFF
# Sums of neighbours are neighbours: ends that differ in their lowest bits would share a few hundred
# buckets. Times these, odd and without a pattern, of 31 bits, they are not; but the lowest bits
# still hang on the lowest bits alone.
_LOW, _HIGH = 0x6C8E9CF5, 0x5851F42D
_LOWEST_BITS = 26


@cache
def flow_keys() -> NDArray[np.int64]:
    """The multipliers of this process, shape (9,), odd."""
    return np.frombuffer(os.urandom(8 * _KEYS), np.int64) & _KEY_BITS | 1


@inlined
def flow_of(segment: Row, keys: NDArray[np.int64]) -> Integer:
    """`hash_of` of the segment's ends << 1 | the end that sent it, the first one or the second.

    First is the end that sorts first by address and port.
    """
    sender = 0 if _is_in_order(segment) else 1
    first_high, first_low, first_port, second_high, second_low, second_port = ends_of(
        segment, sender
    )
    ports = first_port << 16 | second_port
    return hash_of(first_high, first_low, second_high, second_low, ports, keys) << 1 | sender


@inlined
def ends_of(
    segment: Row, sender: Integer
) -> tuple[Integer, Integer, Integer, Integer, Integer, Integer]:
    """Both halves of the address and the port of the first end, then of the second one.

    `sender` is the end that sent the segment. A processor guesses wrong every other time which it
    is: so no branch on it.
    """
    source_high, source_low = segment["source_high"], segment["source_low"]
    destination_high, destination_low = segment["destination_high"], segment["destination_low"]
    source_port = np.int64(segment["source_port"])
    destination_port = np.int64(segment["destination_port"])
    high, low = (source_high ^ destination_high) & -sender, (source_low ^ destination_low) & -sender
    port = (source_port ^ destination_port) & -sender
    return (
        source_high ^ high,
        source_low ^ low,
        source_port ^ port,
        destination_high ^ high,
        destination_low ^ low,
        destination_port ^ port,
    )


@inlined
def hash_of(
    first_high: Integer,
    first_low: Integer,
    second_high: Integer,
    second_low: Integer,
    ports: Integer,
    keys: NDArray[np.int64],
) -> Integer:
    """37 bits for a pair of ends, the first one first; `ports` is first << 16 | second."""
    mixed = (
        (first_low & _WORD) * keys[2]
        + ((first_low >> 32) & _WORD) * keys[3]
        + (second_low & _WORD) * keys[6]
        + ((second_low >> 32) & _WORD) * keys[7]
        + ports * keys[8]
    )
    if first_high | second_high != 0:
        mixed += (
            (first_high & _WORD) * keys[0]
            + ((first_high >> 32) & _WORD) * keys[1]
            + (second_high & _WORD) * keys[4]
            + ((second_high >> 32) & _WORD) * keys[5]
        )
    return ((mixed & _WORD) * _LOW ^ (mixed >> 32) * _HIGH) >> _LOWEST_BITS


@inlined
def _is_in_order(segment: Row) -> Integer:
    """Whether (address, port) of the source sorts before that of the destination."""
    low, to_low = segment["source_low"], segment["destination_low"]
    if low != to_low:
        return low < to_low
    high, to_high = segment["source_high"], segment["destination_high"]
    if high != to_high:
        return high < to_high
    return np.int64(segment["source_port"]) <= np.int64(segment["destination_port"])
