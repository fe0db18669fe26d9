"""Where a probe fires and what it adds, in short."""

from __future__ import annotations

from typing import Any

from tests.provider.talk import CLIENT, SERVER, Wire
from tests.provider.tracked import track

ENDS = {str(CLIENT): "a", str(SERVER): "b"}


def fired(wire: Wire, probe: str, *fields: str, **how: Any) -> list[tuple[Any, ...]]:
    """Packet and these fields of each row; the end at the left is given as `a` or `b`.

    `sent` is the end that sent the segment, `elapsed_us` and `latency_us` are in microseconds.
    """
    found = []
    for row in track(wire.sent, probe, **how):
        left, right = ENDS[row.left], ENDS[row.right]
        facts: dict[str, Any] = row.added | {"left": left, "sent": right}
        if row.direction == "->":
            facts["sent"] = left
        for name in ("elapsed", "latency"):
            if facts.get(f"{name}_ns", -1) >= 0:
                facts[f"{name}_us"] = facts[f"{name}_ns"] / 1000
        found.append((row.packet, *(facts[name] for name in fields)))
    return found
