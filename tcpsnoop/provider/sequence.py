"""Arithmetic of sequence numbers, modulo 2^32 (RFC 9293 section 3.4)."""

from __future__ import annotations

from tcpsnoop.kernel import Integer, inlined

MODULUS_MASK = 0xFFFF_FFFF
_HALF = 0x8000_0000


@inlined
def distance(sequence: Integer, reference: Integer) -> Integer:
    """How far `sequence` is ahead of `reference`: from -2^31 to 2^31 - 1; both may be unwrapped."""
    return ((sequence - reference + _HALF) & MODULUS_MASK) - _HALF


@inlined
def unwrap(sequence: Integer, near: Integer) -> Integer:
    """The unwrapped number that `sequence` stands for, the nearest to `near`."""
    return near + distance(sequence, near)
