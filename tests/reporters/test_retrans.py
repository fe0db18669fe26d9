"""`retrans`: the columns of tcpretrans and the kind, and what is counted by which key."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.owners import HOLDER, Owner, Process
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER, RETRANSMISSIONS, STATES
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import LogReporter, SummaryReporter
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.retrans import Retrans
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries
from tests.reporters.rendering import text as text_of_report


def again(
    local: str, remote: str, kind: str, *, state: str = "ESTABLISHED", **fields: int
) -> dict[str, Any]:
    codes = {"kind": RETRANSMISSIONS.index(kind), "new": STATES.index(state), "outgoing": 1}
    return row("retransmit", local, remote, **codes, **fields)


SERVER, CLIENT, OTHER = "10.153.223.157 22", "69.53.245.40 34619", "10.0.0.9 5000"
EVENTS = [
    again(SERVER, CLIENT, "timeout", end=RESPONDER, sequence=2**32 - 1, bytes=1460, overlap=1460),
    again(SERVER, CLIENT, "fast", end=RESPONDER, sequence=7, bytes=1000, overlap=400),
    again(SERVER, OTHER, "handshake", end=RESPONDER, state="SYN-RECEIVED"),
    again("10.153.223.157 50000", "69.53.245.40 80", "unseen", end=ORIGINATOR, bytes=100),
]


def rows_of(batch: Any, **options: Any) -> Any:
    log: Any = Retrans(**options)
    return log.rows(batch)


def test_the_columns_of_the_manual() -> None:
    owners = [Owner(HOLDER, Process(1319, 1, "sshd"))] * 2
    renderer = Text(RenderOptions())
    table = rows_of(batch_of(EVENTS[:2], owners))
    found = (renderer.begin(Retrans().schema) + b"".join(renderer.rows(table))).decode()
    assert found == (
        "PID     COMM         IP           LADDR:LPORT T>           RADDR:RPORT"
        " STATE        KIND      SEQ        BYTES\n"
        "1319    sshd         4   10.153.223.157:22    R>    69.53.245.40:34619"
        " ESTABLISHED  timeout   4294967295  1460\n"
        "1319    sshd         4   10.153.223.157:22    R>    69.53.245.40:34619"
        " ESTABLISHED  fast      7           1000\n"
    )


def test_endpoints_of_ipv6_stand_in_brackets() -> None:
    table = rows_of(batch_of([again("2001:db8::1 443", "::1 5000", "spurious")]))
    line = b"".join(Text(RenderOptions()).rows(table)).decode()
    assert line.startswith(
        "-       -            6    [2001:db8::1]:443   R>           [::1]:5000  ESTABLISHED"
    )


def test_every_field_of_a_row() -> None:
    event = EVENTS[1] | {"packet": 8, "time_ns": START_NS + 5_000}
    assert list(dictionaries(rows_of(batch_of([event])))[0].items()) == [
        ("packet", 8),
        ("time", "2006-05-13T08:00:00.000005Z"),
        ("pid", None),
        ("command", None),
        ("laddr", "10.153.223.157"),
        ("lport", 22),
        ("raddr", "69.53.245.40"),
        ("rport", 34619),
        ("state", "ESTABLISHED"),
        ("kind", "fast"),
        ("sequence", 7),
        ("bytes", 1000),
        ("retransmitted_bytes", 400),
        ("attribution", "unknown"),
        ("reason", "not recorded"),
        ("holders", None),
    ]


def test_it_is_a_log_or_a_summary_as_the_options_have_it() -> None:
    assert isinstance(Retrans(), LogReporter)
    assert not isinstance(Retrans(), SummaryReporter)
    assert isinstance(Retrans(count_by="host"), SummaryReporter)
    assert not isinstance(Retrans(count_by="host"), LogReporter)


def counted(key: str, **options: Any) -> Any:
    retrans: Any = Retrans(count_by=key, **options)
    retrans.observe(batch_of(EVENTS))
    return retrans.report()


def counts(key: str, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in dictionaries(counted(key).table)]


def test_by_flow() -> None:
    ends = ("laddr", "lport", "raddr", "rport", "retransmits", "retransmitted_bytes")
    assert counts("flow", *ends) == [
        ("10.153.223.157", 22, "10.0.0.9", 5000, 1, 0),
        ("10.153.223.157", 50000, "69.53.245.40", 80, 1, 0),
        ("10.153.223.157", 22, "69.53.245.40", 34619, 2, 1860),
    ]


def test_by_remote_host() -> None:
    assert counts("host", "raddr", "retransmits", *RETRANSMISSIONS) == [
        ("10.0.0.9", 1, 0, 0, 0, 0, 1),
        ("69.53.245.40", 3, 1, 1, 0, 1, 0),
    ]


def test_by_port_of_the_responder() -> None:
    assert counts("port", "port", "retransmits") == [(80, 1), (22, 3)]


def test_by_state() -> None:
    assert counts("state", "state", "retransmits") == [("SYN-RECEIVED", 1), ("ESTABLISHED", 3)]


def test_counts_as_a_table() -> None:
    assert text_of_report(counted("host")) == (
        "RADDR           RETRANSMITS    BYTES    FAST    TIMEOUT    SPURIOUS    UNSEEN"
        "    HANDSHAKE\n"
        "10.0.0.9                  1        0       0          0           0         0"
        "            1\n"
        "69.53.245.40              3     1860       1          1           0         1"
        "            0\n"
    )


@pytest.mark.parametrize("key", ["flow", "host", "port", "state"])
def test_beyond_the_keys_all_are_one(key: str) -> None:
    report = counted(key, max_keys=0)
    (found,) = dictionaries(report.table)
    assert found["retransmits"] == len(EVENTS)
    assert found["retransmitted_bytes"] == 1860
    named = ("laddr", "lport", "raddr", "rport", "port", "state")
    assert {found[name] for name in named if name in found} == {None}
    assert report.notes == ("more than 0 keys (--max-keys): what the others have is in (other)",)


def test_the_options_of_ends_choose_rows() -> None:
    table = rows_of(batch_of(EVENTS), localport="50000")
    assert [each["rport"] for each in dictionaries(table)] == [80]
    with pytest.raises(UsageError, match="-L x"):
        Retrans(count_by="host", localport="x")
    summary: Any = Retrans(count_by="port", remoteport="34619")
    summary.observe(batch_of(EVENTS))
    assert [each["retransmits"] for each in dictionaries(summary.report().table)] == [2]
