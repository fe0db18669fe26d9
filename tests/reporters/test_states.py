"""`states`: the columns of tcpstates' manual, with the names of RFC 9293, and every field."""

from __future__ import annotations

from typing import Any

from tcpsnoop.batches.owners import HOLDER, NOT_ASKED, Owner, Process
from tcpsnoop.batches.probes import ORIGINATOR, STATES
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.states import States
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

# The example of tcpstates' manual; CONN stands for the kernel's SKADDR, an unknown time is none.
MANUAL = """\
CONN    PID   COMM       LADDR           LPORT RADDR           RPORT OLDSTATE     -> NEWSTATE     MS
7       22384 curl       100.66.100.185  63446 52.33.159.26    80    CLOSED       -> SYN-SENT     -
7       -     -          100.66.100.185  63446 52.33.159.26    80    SYN-SENT     -> ESTABLISHED  1.373
7       22384 curl       100.66.100.185  63446 52.33.159.26    80    ESTABLISHED  -> FIN-WAIT-1   176.042
"""  # noqa: E501 - lines as they are printed


def change(old: str, new: str, elapsed_ns: int, **fields: int) -> dict[str, Any]:
    codes = {"old": STATES.index(old), "new": STATES.index(new), "elapsed_ns": elapsed_ns}
    return row("state-change", "100.66.100.185 63446", "52.33.159.26 80", **codes, **fields)


def text(batch: Any, states: States) -> str:
    renderer = Text(RenderOptions())
    begin = renderer.begin(states.schema)
    return (begin + b"".join(renderer.rows(states.rows(batch)))).decode()


def test_the_lines_of_the_manual() -> None:
    changes = [
        change("CLOSED", "SYN-SENT", -1, connection=7),
        change("SYN-SENT", "ESTABLISHED", 1_373_499, connection=7),
        change("ESTABLISHED", "FIN-WAIT-1", 176_041_500, connection=7),
    ]
    curl = Owner(HOLDER, Process(22384, 1, "curl"))
    assert text(batch_of(changes, [curl, NOT_ASKED, curl]), States()) == MANUAL


def test_wide_lines_fit_ipv6_and_name_the_version() -> None:
    codes = {"old": STATES.index("SYN-RECEIVED"), "new": STATES.index("CLOSED")}
    batch = batch_of([row("state-change", "::1 80", "::1 5000", connection=1, **codes)])
    head, line = text(batch, States(wide=True)).splitlines()
    assert head == (
        f"CONN    PID   COMM             IP {'LADDR':<39} LPORT {'RADDR':<39} RPORT "
        "OLDSTATE     -> NEWSTATE     MS"
    )
    assert line == (
        f"1       -     -                6  {'::1':<39} 80    {'::1':<39} 5000  "
        "SYN-RECEIVED -> CLOSED       0.000"
    )


def test_every_field_of_a_row() -> None:
    fields = {"connection": 3, "end": ORIGINATOR, "time_ns": START_NS + 2_000}
    batch = batch_of([change("CLOSE-WAIT", "LAST-ACK", 30_000_000_001, **fields)])
    assert list(dictionaries(States().rows(batch))[0].items()) == [
        ("time", "2006-05-13T08:00:00.000002Z"),
        ("connection", 3),
        ("pid", None),
        ("command", None),
        ("laddr", "100.66.100.185"),
        ("lport", 63446),
        ("raddr", "52.33.159.26"),
        ("rport", 80),
        ("role", "originator"),
        ("old_state", "CLOSE-WAIT"),
        ("new_state", "LAST-ACK"),
        ("old_state_seconds", 30.000000001),
        ("attribution", "unknown"),
        ("reason", "not recorded"),
        ("holders", None),
    ]


def test_the_options_of_ends_choose_rows() -> None:
    batch = batch_of(
        [
            change("SYN-SENT", "ESTABLISHED", 0),
            row("state-change", "10.0.0.1 22", "10.0.0.2 443", old=4, new=5),
        ]
    )
    table = States(remoteport="443").rows(batch)
    assert [each["lport"] for each in dictionaries(table)] == [22]
    assert table.origin is not None
    assert table.origin.tolist() == [1]
