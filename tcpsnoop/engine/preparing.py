"""Leaving for others what only root may read."""

from __future__ import annotations

from pathlib import Path

from tcpsnoop.errors import UsageError
from tcpsnoop.owners.tracing.formats import (
    LEFT_BY_ROOT,
    TracingUnavailableError,
    find_tracefs,
    from_tracefs,
    save_tracepoints,
)


def prepare(given: str | None = None) -> Path:
    """Write the kernel's tracepoints to a file, and say to which; UsageError when that fails."""
    path = LEFT_BY_ROOT if given is None else Path(given)
    tracefs = find_tracefs()
    if tracefs is None:
        raise UsageError(
            "tracefs cannot be read: be root, and `mount -t tracefs tracefs /sys/kernel/tracing`"
        )
    try:
        save_tracepoints(from_tracefs(tracefs), path)
    except TracingUnavailableError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    return path
