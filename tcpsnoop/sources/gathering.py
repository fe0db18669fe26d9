"""How long a live source lets packets gather: each batch has a cost, whatever is in it.

At some ten thousand packets a second the kernel hands them over by the hundred, and most of the
processor time would go into handling so many batches rather than packets.
"""

from __future__ import annotations

# The kernel's buffer must hold what comes meanwhile: at most so many bytes a second are expected
# out of the blue, and of the rate seen last it may fill to so much.
SUDDEN_BYTES_PER_SECOND = 1 << 29
SHARE_OF_BUFFER = 0.125


class Gathering:
    """When to fetch again, after a fetch; `buffer_bytes` is the size of the kernel's buffer."""

    def __init__(self, buffer_bytes: int) -> None:
        self._longest = buffer_bytes / SUDDEN_BYTES_PER_SECOND
        self._room = buffer_bytes * SHARE_OF_BUFFER
        self._fetched_at = float("-inf")
        self._next_at = float("-inf")

    def fetched(self, size: int, now: float) -> None:
        """So many bytes were fetched."""
        filling = (now - self._fetched_at) * self._room / max(1, size)
        self._fetched_at = now
        self._next_at = now + min(self._longest, filling)

    def pause(self, now: float) -> float:
        """Seconds until packets are to be fetched, 0 for at once."""
        return max(0.0, self._next_at - now)
