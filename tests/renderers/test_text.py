"""Text byte for byte: the layouts of SEMANTICS 13, and what is between and around them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tcpsnoop.interfaces.renderer import Renderer, RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.report import (
    Cell,
    Grid,
    Interval,
    Kind,
    Line,
    Report,
    Table,
    Values,
    object_values,
    text_values,
)
from tests.renderers.tables import (
    ACCEPT_SCHEMA,
    IO_SCHEMA,
    NOON,
    SECOND,
    addresses,
    finger_session,
    integers,
    schema,
    times,
    wdist,
)

FINGER_SESSION = """\
           LADDR:PORT                 RADDR:PORT   BYTES FLAGS
   192.168.1.185:79     <-    192.168.1.109:56145      0 (SYN)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (SYN|ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      2 (PUSH|ACK)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     ->    192.168.1.109:56145    126 (PUSH|ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (FIN|ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (FIN|ACK)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (ACK)
"""

ACCEPTS = """\
   HOSTNAME                   PORT        COUNT
   marlin6                    finger          1
   bass                       login           2
   marlin                     ssh             2
   marlin                     telnet          2
   marlin                     finger          3
"""

# The blanks after the counts are part of the layout.
WRITES = (
    " PID: -      CMD: 192.168.1.109 -> *:79\n"
    "\n"
    "           value  ------------- Distribution ------------- count    \n"
    "               1 |                                         0        \n"
    "               2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1        \n"
    "               4 |                                         0        \n"
    "\n"
    " PID: -      CMD: 192.168.1.185:79\n"
    "\n"
    "           value  ------------- Distribution ------------- count    \n"
    "              32 |                                         0        \n"
    "              64 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1        \n"
    "             128 |                                         0        \n"
)


def log(table: Table, options: RenderOptions | None = None) -> str:
    renderer: Renderer = Text(options or RenderOptions())
    return (renderer.begin(table.schema) + b"".join(renderer.rows(table))).decode()


def report(table: Table, options: RenderOptions | None = None) -> str:
    renderer: Renderer = Text(options or RenderOptions())
    return b"".join(renderer.report(Report(table))).decode()


def accepts() -> Table:
    return Table(
        ACCEPT_SCHEMA,
        {
            "raddr": addresses(["fe80::214:4fff:fe3b:76c8", *["192.168.2.1"] * 4]),
            "hostname": text_values(["marlin6", "bass", "marlin", "marlin", "marlin"]),
            "lport": integers([79, 513, 22, 23, 79]),
            "service": text_values(["finger", "login", "ssh", "telnet", "finger"]),
            "count": integers([1, 2, 2, 2, 3]),
        },
    )


def test_the_finger_session() -> None:
    assert log(finger_session()) == FINGER_SESSION


def test_the_rows_of_a_log_do_not_depend_on_its_batches() -> None:
    table = finger_session()
    renderer = Text(RenderOptions())
    text = renderer.begin(table.schema)
    for start, stop in ((0, 1), (1, 1), (1, 8), (8, 11)):
        text += b"".join(renderer.rows(table.take(slice(start, stop))))
    assert text.decode() == FINGER_SESSION


def test_no_header() -> None:
    without = FINGER_SESSION.partition("\n")[2]
    assert log(finger_session(), RenderOptions(header=False)) == without
    without = ACCEPTS.partition("\n")[2]
    assert report(accepts(), RenderOptions(header=False)) == without


def test_the_accepts() -> None:
    assert report(accepts()) == ACCEPTS


def test_accepts_without_names_show_addresses_and_ports() -> None:
    table = accepts()
    values = {name: table.values[name] for name in ("raddr", "lport", "count")}
    assert report(Table(table.schema, values)) == (
        "   HOSTNAME                   PORT        COUNT\n"
        "   fe80::214:4fff:fe3b:76c8   79              1\n"
        "   192.168.2.1                513             2\n"
        "   192.168.2.1                22              2\n"
        "   192.168.2.1                23              2\n"
        "   192.168.2.1                79              3\n"
    )


def test_a_capture_without_packets_is_a_header() -> None:
    none = slice(0, 0)
    assert log(finger_session().take(none)) == FINGER_SESSION.partition("\n")[0] + "\n"
    assert report(accepts().take(none)) == ACCEPTS.partition("\n")[0] + "\n"
    assert report(wdist([])) == ""


def test_wider_values_widen_the_field_and_ipv6_stands_in_brackets() -> None:
    table = finger_session().take(np.array([0, 1, 3]))
    values = dict(table.values)
    values["laddr"] = addresses(["::1", "2001:db8:1:2:3:4:5:6", None])
    values["lport"] = integers([65535, 1234567, -1])
    values["bytes"] = integers([-1, 12345678, 1])
    assert log(Table(IO_SCHEMA, values), RenderOptions(header=False)) == (
        "           [::1]:65535  <-    192.168.1.109:56145      - (SYN)\n"
        "[2001:db8:1:2:3:4:5:6]:1234567 ->    192.168.1.109:56145 12345678 (SYN|ACK)\n"
        "               -:-      <-    192.168.1.109:56145      1 (PUSH|ACK)\n"
    )


def test_numbers_can_be_written_in_a_unit() -> None:
    columns = schema(
        Line(
            "KB MS",
            (Cell("bytes", unit=1024), " ", Cell("took_seconds", 6, unit=1_000_000, decimals=2)),
        ),
        bytes=Kind.INTEGER,
        took_seconds=Kind.SECONDS,
    )
    values = {"bytes": integers([2047, -1]), "took_seconds": integers([1_234_567, -1])}
    assert log(Table(columns, values)) == "KB MS\n1   1.23\n-      -\n"


def test_no_flags_are_null() -> None:
    table = finger_session().take(slice(0, 1))
    values = {**table.values, "flags": Values(np.zeros(1, np.uint16))}
    assert log(Table(IO_SCHEMA, values)).endswith(" (null)\n")


def test_escape_sequences_are_shown_not_sent() -> None:
    layout = Line("NAME", (Cell("name", 12), "|"))
    names = ["\x1b[2Jevil", "a\nb", "\udcff", "naïve", "\x9b0m", None]
    table = Table(schema(layout, name=Kind.TEXT), {"name": text_values(names)})
    assert report(table).split("\n") == [
        "NAME",
        r" \x1b[2Jevil|",
        r"      a\x0ab|",
        r"        \xff|",
        "       naïve|",
        r"      \x9b0m|",
        "           -|",
        "",
    ]


def test_relative_times_count_from_the_first_row() -> None:
    table = finger_session()
    renderer = Text(RenderOptions(time="relative"))
    first = b"".join(renderer.rows(table.take(slice(0, 1)))).decode()
    later = b"".join(renderer.rows(table.take(slice(10, 11)))).decode()
    assert renderer.begin(table.schema).decode() == (
        "     TIME(s)            LADDR:PORT                 RADDR:PORT   BYTES FLAGS\n"
    )
    assert first == "    0.000000    192.168.1.185:79     <-    192.168.1.109:56145      0 (SYN)\n"
    assert later == "    0.010000    192.168.1.185:79     ->    192.168.1.109:56145      0 (ACK)\n"


def test_relative_times_count_from_the_given_start() -> None:
    options = RenderOptions(header=False, time="relative", start_ns=NOON - 90_000 * SECOND - 500)
    text = log(finger_session().take(slice(0, 1)), options)
    assert text.startswith("90000.000000    192.168.1.185:79 ")


@pytest.fixture
def five_hours_west() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("five_hours_west")
def test_clock_times_are_local_with_the_digits_of_each_row() -> None:
    table = finger_session().take(slice(0, 3))
    moments = times([NOON + 1_234_567_890, NOON, NOON + 60 * SECOND], [6, 9, 0])
    table = Table(IO_SCHEMA, {**table.values, "time": moments})
    lines = log(table, RenderOptions(time="clock")).split("\n")
    assert lines[:4] == [
        "TIME                       LADDR:PORT                 RADDR:PORT   BYTES FLAGS",
        "07:00:01.234567    192.168.1.185:79     <-    192.168.1.109:56145      0 (SYN)",
        "07:00:00.000000000    192.168.1.185:79     ->    192.168.1.109:56145      0 (SYN|ACK)",
        "07:01:00           192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)",
    ]


def test_a_log_without_times_has_no_column_of_times() -> None:
    table = Table(schema(Line("N", (Cell("n"),)), n=Kind.INTEGER), {"n": integers([5])})
    assert log(table, RenderOptions(time="clock")) == "N\n5\n"


def test_the_writes_of_the_finger_session() -> None:
    table = wdist(
        [
            (-1, None, "192.168.1.109 -> *:79", [[2, 1]]),
            (-1, None, "192.168.1.185:79", [[64, 1]]),
        ]
    )
    assert report(table) == WRITES


def test_a_process_has_its_command_line() -> None:
    text = report(wdist([(-1, None, None, [[1, 1]]), (4711, "sshd: \x07root", "no", [[1, 1]])]))
    heads = [line for line in text.split("\n") if line.startswith(" PID:")]
    assert heads == [" PID: -      CMD: -", r" PID: 4711   CMD: sshd: \x07root"]


def test_no_buckets_are_a_header() -> None:
    assert report(wdist([(1, "x", None, None)])).count("\n") == 3


GRID = schema(
    Grid(("command", "raddr", "seconds"), ("COMMAND", "ADDRESS", "SECONDS")),
    command=Kind.TEXT,
    raddr=Kind.ADDRESS,
    seconds=Kind.SECONDS,
)


def grid() -> Table:
    return Table(
        GRID,
        {
            "command": text_values(["sshd", "007", None]),
            "raddr": addresses(["::1", "10.0.0.1", None]),
            "seconds": Values(np.array([1_500_000_000, -1, 10 * SECOND])),
        },
    )


def test_a_grid_aligns_numbers_to_the_right_and_leaves_texts_alone() -> None:
    assert report(grid()) == (
        "COMMAND    ADDRESS      SECONDS\n"
        "sshd       ::1              1.5\n"
        "007        10.0.0.1           -\n"
        "-          -               10.0\n"
    )


def test_a_grid_without_header_or_rows() -> None:
    assert report(grid(), RenderOptions(header=False)).startswith("sshd  ::1")
    assert report(grid().take(slice(0, 0))) == "COMMAND    ADDRESS    SECONDS\n"
    assert report(grid().take(slice(0, 0)), RenderOptions(header=False)) == ""


def test_intervals_begin_with_their_start_and_a_blank_line_is_between() -> None:
    renderer = Text(RenderOptions())
    table = accepts().take(slice(0, 1))
    first = Report(table, interval=Interval(NOON, 6))
    last = replace(first, interval=Interval(NOON + SECOND, 6, partial=True))
    text = b"".join([*renderer.report(first), *renderer.report(last)]).decode()
    block = (
        "   HOSTNAME                   PORT        COUNT\n"
        "   marlin6                    finger          1\n"
    )
    assert text == (
        f"2026-11-21T12:00:00.000000Z\n{block}\n2026-11-21T12:00:01.000000Z partial\n{block}"
    )


def test_what_stands_above_is_in_the_line_of_the_start_after_the_load() -> None:
    layout = Line("", ("IN: ", Cell("n", 3), " KB"))
    above = Table(schema(layout, n=Kind.INTEGER), {"n": integers([7])})
    table = accepts().take(slice(0, 0))
    renderer = Text(RenderOptions(header=False))
    reports = [
        Report(table, above=above),
        Report(table, above=above, interval=Interval(NOON, 6)),
        Report(table, above=above, interval=Interval(NOON, 6, partial=True, load=0.456)),
        Report(table, interval=Interval(NOON, 6, load=0.456)),
    ]
    text = b"".join(piece for each in reports for piece in renderer.report(each)).decode()
    start = "2026-11-21T12:00:00.000000Z"
    assert text == (
        "IN:   7 KB\n\n"
        f"\n{start},  IN:   7 KB\n\n"
        f"\n{start} partial,  load: 0.46,  IN:   7 KB\n\n"
        f"\n{start}\n"
    )


def test_a_log_of_another_layout_is_a_block_for_each_table() -> None:
    table = wdist([(-1, None, "192.168.1.109 -> *:79", [[2, 1]])])
    assert log(table) == WRITES[: WRITES.index("\n PID: -      CMD: 192.168.1.185")]


def test_decoded_packets_stand_under_their_lines() -> None:
    layout = Line("N", (Cell("n"),))
    table = Table(
        schema(layout, n=Kind.INTEGER),
        {"n": integers([1, 2, 3])},
        below=["###[ IP ]###\n  ttl = 64\n", "", "\x1b[2J"],
    )
    assert log(table) == "N\n1\n###[ IP ]###\n  ttl = 64\n2\n3\n\\x1b[2J\n"


def test_objects_in_a_line_are_json() -> None:
    layout = Line("", (Cell("holders"),))
    table = Table(
        schema(layout, holders=Kind.OBJECT),
        {"holders": object_values([[[1, "a\x1b"]], None])},
    )
    assert report(table, RenderOptions(header=False)) == '[[1,"a\\u001b"]]\n-\n'
