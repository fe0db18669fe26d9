"""What the provider says of a capture, in process: each segment with the probes it fired."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import PROBES, RETRANSMISSIONS
from tcpsnoop.batches.segments import OPTION_SACK
from tcpsnoop.engine.intake import Intake
from tcpsnoop.provider.sides import Window
from tcpsnoop.provider.tracker import Tracker
from tcpsnoop.sources.savefile import open_savefile

_NAMES = {probe.number: name for name, probe in PROBES.items()}

# Every end is local, so that the probes of one end fire for both.
EVERYWHERE = ("::/0",)

End = tuple[str, int]


@dataclass
class Segment:
    """A segment as dissected, and what fired at it."""

    packet: int
    time_ns: int
    source: End
    destination: End
    sequence: int
    acknowledgment: int
    payload: int  # -1 unknown
    flags: int
    window: int
    sacked: bool  # it says that bytes above its acknowledgment have come
    declared: int  # payload bytes by the IP header alone
    connection: int = 0
    duplicate: bool = False
    ended: bool = False  # its connection had ended before
    fired: set[str] = field(default_factory=set)
    kind: str = ""  # of `retransmit`
    overlap: int = 0  # bytes sent before


@dataclass(frozen=True)
class Totals:
    """What `closed` says of one direction."""

    segments: int
    payload: int
    retransmitted: int
    probe: int


@dataclass(frozen=True)
class Observed:
    """A capture: its segments by packet number, and the totals of its ended connections."""

    segments: dict[int, Segment]
    totals: dict[tuple[int, End], Totals]  # by connection and sender


def observe(path: Path) -> Observed:
    """Read the capture and track it with every probe wanted."""
    source = open_savefile(str(path))
    tracker = Tracker(tuple(PROBES), np.zeros(1 << 16, np.bool_), Window(EVERYWHERE, waits=False))
    intake = Intake(source, options=True, keep_frames=True)
    dissector = intake.make_dissector()
    segments: dict[int, Segment] = {}
    totals: dict[tuple[int, End], Totals] = {}
    ended: set[int] = set()
    while not intake.ended:
        taken = intake.step(dissector, 1.0)
        if taken is None:
            continue
        for row in taken.segments:
            assert taken.packets is not None
            at = int(taken.packets.offset[row["frame"]])
            frame = bytes(taken.packets.data[at : at + taken.packets.captured[row["frame"]]])
            segments[int(row["packet"])] = _segment_of(row, frame)
        for batch in tracker.feed(taken.segments, 0.0):
            _take(batch, segments, totals, ended)
    for batch in tracker.finish():
        _take(batch, segments, totals, ended)
    return Observed(segments, totals)


def _declared(row: np.void, frame: bytes, header: int) -> int:
    """What the IP header alone declares behind it, less the TCP header at `header`.

    The IP header is where its version and the source address are right.
    """
    source = ipaddress.ip_address(text_of(int(row["source_high"]), int(row["source_low"])))
    if header + 13 > len(frame):
        return int(row["payload"])
    own = 4 * (frame[header + 12] >> 4)
    for at in range(header - 20, -1, -4):
        size = 4 * (frame[at] & 0xF)
        if (
            source.version == 4
            and frame[at] >> 4 == 4
            and frame[at + 12 : at + 16] == source.packed
        ):
            return int.from_bytes(frame[at + 2 : at + 4]) - size - own
        if source.version == 6 and frame[at] >> 4 == 6 and frame[at + 8 : at + 24] == source.packed:
            return int.from_bytes(frame[at + 4 : at + 6]) - own
    return int(row["payload"])


def _segment_of(row: np.void, frame: bytes) -> Segment:
    return Segment(
        packet=int(row["packet"]),
        time_ns=int(row["time_ns"]),
        source=(text_of(int(row["source_high"]), int(row["source_low"])), int(row["source_port"])),
        destination=(
            text_of(int(row["destination_high"]), int(row["destination_low"])),
            int(row["destination_port"]),
        ),
        sequence=int(row["sequence"]),
        acknowledgment=int(row["acknowledgment"]),
        payload=int(row["payload"]),
        flags=int(row["flags"]),
        window=int(row["window"]),
        declared=_declared(row, frame, int(row["header"])),
        sacked=bool(row["options"] & OPTION_SACK),
    )


def _take(
    batch: ProbeBatch,
    segments: dict[int, Segment],
    totals: dict[tuple[int, End], Totals],
    ended: set[int],
) -> None:
    for row in batch.rows:
        name = _NAMES[int(row["probe"])]
        connection = int(row["connection"])
        if name == "closed":
            left = text_of(int(row["laddr_high"]), int(row["laddr_low"])), int(row["lport"])
            right = text_of(int(row["raddr_high"]), int(row["raddr_low"])), int(row["rport"])
            more = batch.closed[row["detail"]]
            for end, side in ((left, "tx"), (right, "rx")):
                totals[connection, end] = Totals(
                    int(more[f"{side}_segments"]),
                    int(more[f"{side}_payload"]),
                    int(more[f"{side}_retransmitted"]),
                    int(more[f"{side}_probe"]),
                )
            ended.add(connection)
            continue
        segment = segments[int(row["packet"])]
        if name in ("send", "receive"):
            segment.ended = connection in ended
            segment.connection = connection
            segment.duplicate = bool(row["duplicate"])
        segment.fired.add(name)
        if name == "retransmit":
            more = batch.details[row["detail"]]
            segment.kind = RETRANSMISSIONS[int(more["kind"])]
            segment.overlap = int(more["overlap"])
