"""What is told on standard error."""

from __future__ import annotations

import sys


def tell(line: str) -> None:
    """A line for the user on standard error; names from outside cannot move the terminal."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    try:
        sys.stderr.write(safe + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nobody listens, and the report goes elsewhere
