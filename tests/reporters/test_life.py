"""`life`: the lines of tcplife's manual with the state behind them, and every field of a row."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.owners import HOLDER, NOT_ASKED, Context, Owner, Process
from tcpsnoop.batches.probes import CONN_STATES, END_REASONS, ORIGINATOR, RESPONDER
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.life import Life
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

MS = 1_000_000

# The first lines of tcplife's manual; its COMM is cut to ten characters.
MANUAL = """\
PID   COMM       LADDR           LPORT RADDR           RPORT TX_KB RX_KB MS        STATE
22597 recordProg 127.0.0.1       46644 127.0.0.1       28527     0     0 0.23      SF/fin
3277  redis-serv 127.0.0.1       28527 127.0.0.1       46644     0     0 0.28      SF/fin
22598 curl       100.66.3.172    61620 52.205.89.26    80        0     1 91.79     SF/fin
"""


def over(local: str, remote: str, *, state: str = "SF", reason: str = "fin", **fields: int) -> Any:
    """A connection's end; `ns` is its duration."""
    last_ns = START_NS + fields.pop("ns", 0)
    codes = {
        "conn_state": CONN_STATES.index(state),
        "end_reason": END_REASONS.index(reason),
        "start_ns": START_NS,
        "last_ns": last_ns,
        "time_ns": last_ns,
    }
    return row("closed", local, remote, **codes, **fields)


def text(batch: Any, life: Life | None = None) -> str:
    life = life or Life()
    renderer = Text(RenderOptions())
    return (renderer.begin(life.schema) + b"".join(renderer.rows(life.rows(batch)))).decode()


def test_the_lines_of_the_manual() -> None:
    ends = [
        over("127.0.0.1 46644", "127.0.0.1 28527", tx_payload=1023, ns=230_000),
        over("127.0.0.1 28527", "127.0.0.1 46644", rx_payload=1023, ns=279_999),
        over("100.66.3.172 61620", "52.205.89.26 80", rx_payload=2047, ns=91_794_999),
    ]
    names = [(22597, "recordProg"), (3277, "redis-serv"), (22598, "curl")]
    owners = [Owner(HOLDER, Process(pid, 1, name)) for pid, name in names]
    assert text(batch_of(ends, owners)) == MANUAL


def test_wide_lines_fit_ipv6_and_name_the_version() -> None:
    address = "2001:db8:1111:2222:3333:4444:5555:6666"
    batch = batch_of([over(f"{address} 443", "::1 5000", tx_payload=3 << 20, ns=5 * MS)])
    assert text(batch, Life(wide=True)) == (
        f"PID   COMM             IP {'LADDR':<39} LPORT {'RADDR':<39} RPORT  TX_KB  RX_KB MS "
        "       STATE\n"
        f"-     -                6  {address:<39} 443   {'::1':<39} 5000    3072      0 5.00 "
        "     SF/fin\n"
    )


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("S1", "end_of_input", "S1/end_of_input"),
        ("RSTR", "rst_responder", "RSTR/rst_responder"),
        ("S0", "evicted", "S0/evicted"),
        ("OTH", "reused", "OTH/reused"),
    ],
)
def test_how_it_went_and_why_it_is_over(state: str, reason: str, shown: str) -> None:
    batch = batch_of([over("10.0.0.1 80", "10.0.0.2 5000", state=state, reason=reason)])
    assert text(batch).splitlines()[1].split()[-1] == shown
    found = dictionaries(Life().rows(batch))[0]
    assert (found["state"], found["end_reason"]) == (state, reason)


def test_every_field_of_a_row() -> None:
    end = over(
        "10.0.0.1 80",
        "10.0.0.2 5000",
        end=RESPONDER,
        packet=9,
        tx_payload=5_000,
        tx_retransmitted=1_460,
        tx_probe=1,
        rx_payload=700,
        rx_retransmitted=100,
        rx_probe=2,
        tx_segments=7,
        rx_segments=6,
        ns=1_500_000_000,
    )
    process = Process(
        7,
        1,
        "nginx",
        "nginx -g x",
        33,
        "/system.slice/nginx.service",
        Context("www-data", parent_pid=1, parent_command="systemd"),
    )
    owned = batch_of([end], [Owner(HOLDER, process)])
    plain = list(dictionaries(Life().rows(owned))[0].items())
    whole = list(dictionaries(Life(context=True).rows(owned))[0].items())
    assert plain == [*whole[:17], *whole[-3:]]
    assert whole == [
        ("time", "2006-05-13T08:00:00.000000Z"),
        ("pid", 7),
        ("command", "nginx"),
        ("uid", 33),
        ("laddr", "10.0.0.1"),
        ("lport", 80),
        ("raddr", "10.0.0.2"),
        ("rport", 5000),
        ("role", "responder"),
        ("tx_bytes", 5_000 - 1_460 - 1),
        ("rx_bytes", 700 - 100 - 2),
        ("tx_segments", 7),
        ("rx_segments", 6),
        ("retransmitted_bytes", 1_460),
        ("duration_seconds", 1.5),
        ("state", "SF"),
        ("end_reason", "fin"),
        ("command_line", "nginx -g x"),
        ("executable", None),
        ("user", "www-data"),
        ("parent_pid", 1),
        ("parent_command", "systemd"),
        ("unit", "nginx.service"),
        ("container", None),
        ("network_namespace", None),
        ("attribution", "holder"),
        ("reason", None),
        ("holders", None),
    ]


def test_an_unknown_user_is_null() -> None:
    found = dictionaries(Life().rows(batch_of([over("10.0.0.1 80", "10.0.0.2 5000")], [NOT_ASKED])))
    assert (found[0]["pid"], found[0]["uid"], found[0]["attribution"]) == (None, None, "unknown")


def test_both_ends_of_a_connection_on_one_host_are_rows() -> None:
    batch = batch_of(
        [
            over("127.0.0.1 5000", "127.0.0.1 80", end=ORIGINATOR, remote_local=1, tx_payload=3),
            over("127.0.0.1 80", "127.0.0.1 5000", end=RESPONDER, remote_local=1, rx_payload=3),
        ]
    )
    found = dictionaries(Life().rows(batch))
    assert [(each["role"], each["tx_bytes"], each["rx_bytes"]) for each in found] == [
        ("originator", 3, 0),
        ("responder", 0, 3),
    ]


def test_the_options_of_ends_choose_rows() -> None:
    batch = batch_of([over(f"10.0.0.1 {port}", "10.0.0.2 5000") for port in (22, 80, 443)])
    table = Life(localport="80,443").rows(batch)
    assert [each["lport"] for each in dictionaries(table)] == [80, 443]
    assert table.origin is not None
    assert table.origin.tolist() == [1, 2]
