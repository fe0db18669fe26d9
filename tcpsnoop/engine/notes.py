"""What is told on stderr beside the report: rules applied, packets read, lost, not understood."""

from __future__ import annotations

from collections.abc import Iterator

from tcpsnoop.batches.packets import link_type_label
from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.engine.tally import Tally
from tcpsnoop.interfaces.source import Drops

_RULES = (
    "on loopback",
    "by --local",
    "by the addresses of interfaces",
    "by the direction of packets",
    "by the one address that all segments share",
    "not known, the responder stands at the left",
)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sides_note(rules: list[int]) -> Iterator[str]:
    """How the local side was found, and for how many connections."""
    told = [
        f"{text}: {_count(n, 'connection')}" for text, n in zip(_RULES, rules, strict=True) if n
    ]
    if told:
        yield f"local side {'; '.join(told)}"


def packets_note(tally: Tally, *, filtered: bool) -> Iterator[str]:
    """How many packets were read, and what became of them."""
    parts = [f"{_count(tally.packets, 'packet')} read"]
    if filtered:
        parts.append(f"{tally.passed:,} passed the filter")
    if tally.unfilterable:
        parts.append(f"{tally.unfilterable:,} of a link type that libpcap cannot filter")
    for verdict in Verdict:
        number = int(tally.verdicts[verdict])
        if number and verdict is not Verdict.UNSUPPORTED_LINK_TYPE:
            parts.append(f"{number:,} {'TCP' if verdict is Verdict.TCP else verdict.label}")
    for link_type, number in sorted(tally.unsupported.items()):
        parts.append(f"{number:,} unsupported link type {link_type_label(link_type)}")
    yield ", ".join(parts)
    if tally.tagged:
        yield (
            "the filter looks at the outermost frame only: not behind the VLAN tags and labels,"
            " or into the tunnels, that some packets have (see `vlan`, `mpls`, `pppoes`, `geneve`)"
        )


UNREAD = "what was captured last is left out: there was more than could be read in two seconds"


def drops_note(drops: Drops | None) -> Iterator[str]:
    """What the kernel lost; told also when it is nothing."""
    if drops is not None:
        interface = f", {drops.by_interface:,} by the interface" if drops.by_interface else ""
        yield f"{_count(drops.by_kernel, 'packet')} dropped by kernel{interface}"


def tracking_notes(duplicates: int, evicted: int, clipped: int) -> Iterator[str]:
    """What tracking left out."""
    if duplicates:
        yield f"{_count(duplicates, 'frame')} captured twice, counted once"
    if evicted:
        yield (
            f"{_count(evicted, 'connection')} forgotten before their end, the least recently "
            "active: --max-connections was reached"
        )
    if clipped:
        yield f"{_count(clipped, 'packet')} longer by the IP header than by the frame: cut to it"
