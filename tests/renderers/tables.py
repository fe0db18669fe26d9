"""Tables as reporters make them, with the layouts of SEMANTICS 13."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.segments import FLAG_NAMES
from tcpsnoop.report import (
    Align,
    Cell,
    Column,
    Kind,
    Layout,
    Line,
    Quantize,
    Schema,
    Table,
    Values,
    object_values,
    text_values,
)

SECOND = 10**9
NOON = 1_795_262_400 * SECOND
"""2026-11-21T12:00:00Z in nanoseconds."""


def addresses(texts: Sequence[str | None]) -> Values:
    """Addresses from texts, None is unknown."""
    data = np.array([halves(text or "::") for text in texts], np.int64).reshape(-1, 2)
    return Values(data, known=np.array([text is not None for text in texts], np.bool_))


def integers(numbers: Sequence[int]) -> Values:
    """Integers, below 0 unknown."""
    return Values(np.array(numbers, np.int64))


def times(moments: Sequence[int], digits: Sequence[int] | int = 6) -> Values:
    """Times in nanoseconds."""
    return Values(
        np.array(moments, np.int64),
        digits=np.broadcast_to(np.array(digits, np.uint8), (len(moments),)),
    )


def flags(names: Iterable[str]) -> Values:
    """Flags from names joined by `|`, "" for none."""
    bits = [sum(1 << FLAG_NAMES.index(one) for one in name.split("|") if one) for name in names]
    return Values(np.array(bits, np.uint16))


def schema(layout: Layout, **columns: Kind) -> Schema:
    """Columns of these names and kinds."""
    return Schema(tuple(Column(name, kind, "") for name, kind in columns.items()), layout)


IO_LAYOUT = Line(
    header="           LADDR:PORT                 RADDR:PORT   BYTES FLAGS",
    parts=(
        Cell("laddr", 16, endpoint=True),
        ":",
        Cell("lport", 6, Align.LEFT),
        " ",
        Cell("direction", 2),
        " ",
        Cell("raddr", 16, endpoint=True),
        ":",
        Cell("rport", 5, Align.LEFT),
        " ",
        Cell("bytes", 6),
        " (",
        Cell("flags"),
        ")",
    ),
)
IO_SCHEMA = schema(
    IO_LAYOUT,
    packet=Kind.INTEGER,
    time=Kind.TIME,
    laddr=Kind.ADDRESS,
    lport=Kind.INTEGER,
    direction=Kind.DIRECTION,
    raddr=Kind.ADDRESS,
    rport=Kind.INTEGER,
    bytes=Kind.INTEGER,
    flags=Kind.FLAGS,
    pid=Kind.INTEGER,
    command=Kind.TEXT,
)

FINGER = (
    ("<-", 0, "SYN"),
    ("->", 0, "SYN|ACK"),
    ("<-", 0, "ACK"),
    ("<-", 2, "PUSH|ACK"),
    ("->", 0, "ACK"),
    ("->", 126, "PUSH|ACK"),
    ("<-", 0, "ACK"),
    ("->", 0, "FIN|ACK"),
    ("<-", 0, "ACK"),
    ("<-", 0, "FIN|ACK"),
    ("->", 0, "ACK"),
)


def finger_session() -> Table:
    """The segments of the finger session, a millisecond apart from noon."""
    count = len(FINGER)
    directions, payloads, names = zip(*FINGER, strict=True)
    return Table(
        IO_SCHEMA,
        {
            "packet": integers(range(1, count + 1)),
            "time": times([NOON + number * 1_000_000 for number in range(count)]),
            "laddr": addresses(["192.168.1.185"] * count),
            "lport": integers([79] * count),
            "direction": Values(np.array([one == "->" for one in directions], np.uint8)),
            "raddr": addresses(["192.168.1.109"] * count),
            "rport": integers([56145] * count),
            "bytes": integers(payloads),
            "flags": flags(names),
            "pid": integers([-1] * count),
            "command": text_values([None] * count),
        },
    )


ACCEPT_SCHEMA = schema(
    Line(
        header=f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}",
        parts=(
            "   ",
            Cell("hostname", 26, Align.LEFT, otherwise="raddr"),
            " ",
            Cell("service", 8, Align.LEFT, otherwise="lport"),
            " ",
            Cell("count", 8),
        ),
    ),
    raddr=Kind.ADDRESS,
    hostname=Kind.TEXT,
    lport=Kind.INTEGER,
    service=Kind.TEXT,
    count=Kind.INTEGER,
)

WDIST_SCHEMA = schema(
    Quantize(
        head=(
            " PID: ",
            Cell("pid", 6, Align.LEFT),
            " CMD: ",
            Cell("command_line", otherwise="writer"),
        ),
        buckets="buckets",
    ),
    pid=Kind.INTEGER,
    command_line=Kind.TEXT,
    buckets=Kind.OBJECT,
)


def wdist(rows: Sequence[tuple[int, str | None, str | None, object]]) -> Table:
    """PID, command line, who writes when that is unknown, buckets; `writer` is no column."""
    pids, lines, writers, buckets = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Table(
        WDIST_SCHEMA,
        {
            "pid": integers(pids),
            "command_line": text_values(lines),
            "writer": text_values(writers),
            "buckets": object_values(buckets),
        },
    )
