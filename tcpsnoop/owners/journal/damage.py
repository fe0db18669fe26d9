"""What is wrong with a journal."""

from __future__ import annotations


class DamageError(Exception):
    """A line that is not one of a journal; the message says what it is instead."""
