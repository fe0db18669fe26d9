"""`connlat`: the columns of tcpconnlat, what each attempt came to, and distributions of both."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.owners import HOLDER, NOT_ASKED, Owner, Process
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import LogReporter, SummaryReporter
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.connlat import Connlat
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries
from tests.reporters.rendering import text as text_of_report

MS = 1_000_000
CLIENT = "10.153.223.157 50000"


def attempt(probe: str, remote: str, elapsed_ns: int, count: int = 0, **fields: int) -> Any:
    return row(probe, CLIENT, remote, elapsed_ns=elapsed_ns, count=count, **fields)


ATTEMPTS = [
    attempt("connect-established", "52.33.159.26 80", 1_795_000),
    attempt("connect-refused", "52.33.159.26 81", 3 * MS),
    attempt("connect-established", "10.0.0.9 443", 1_002 * MS, 1),
    attempt("connect-timeout", "203.0.113.9 443", 127_000 * MS, 6),
    attempt("connect-established", "10.0.0.9 444", -1),
]


def rows_of(batch: Any, **options: Any) -> Any:
    log: Any = Connlat(**options)
    return log.rows(batch)


def report_of(**options: Any) -> Any:
    summary: Any = Connlat(**options)
    summary.observe(batch_of(ATTEMPTS))
    return summary.report()


def test_the_columns_of_the_manual() -> None:
    owners = [Owner(HOLDER, Process(1201, 1, "wget")), *[NOT_ASKED] * 4]
    table = rows_of(batch_of(ATTEMPTS, owners))
    renderer = Text(RenderOptions())
    found = (renderer.begin(Connlat().schema) + b"".join(renderer.rows(table))).decode()
    head = f"{'PID':<7} {'COMM':<12} IP {'SADDR':<16} LPORT  {'DADDR':<16} DPORT LAT(ms)   "
    nobody = f"{'-':<7} {'-':<12} 4  10.153.223.157   50000  "
    assert found.splitlines() == [
        f"{head}RESULT  RETRIES",
        "1201    wget         4  10.153.223.157   50000  52.33.159.26     80    1.80      ok     "
        " 0",
        f"{nobody}52.33.159.26     81    3.00      refused 0",
        f"{nobody}10.0.0.9         443   1002.00   ok      1",
        f"{nobody}203.0.113.9      443   127000.00 timeout 6",
        f"{nobody}10.0.0.9         444   -         ok      0",
    ]


def test_every_field_of_a_row() -> None:
    event = ATTEMPTS[2] | {"time_ns": START_NS + 5_000}
    assert list(dictionaries(rows_of(batch_of([event])))[0].items()) == [
        ("time", "2006-05-13T08:00:00.000005Z"),
        ("pid", None),
        ("command", None),
        ("laddr", "10.153.223.157"),
        ("lport", 50000),
        ("raddr", "10.0.0.9"),
        ("rport", 443),
        ("result", "ok"),
        ("latency_seconds", 1.002),
        ("retries", 1),
        ("attribution", "unknown"),
        ("reason", "not recorded"),
        ("holders", None),
    ]


def test_only_what_took_long_enough() -> None:
    table = rows_of(batch_of(ATTEMPTS), min_ms=3.0)
    assert [each["rport"] for each in dictionaries(table)] == [81, 443, 443]
    assert table.origin.tolist() == [1, 2, 3]
    found = dictionaries(report_of(by="all", min_ms=3.0).table)
    assert [(each["result"], each["count"]) for each in found] == [
        ("ok", 1),
        ("refused", 1),
        ("timeout", 1),
    ]


@pytest.mark.parametrize("least", [-1.0, float("nan"), float("inf")])
def test_a_least_time_that_is_none(least: float) -> None:
    with pytest.raises(UsageError, match="--min-ms"):
        Connlat(min_ms=least)


def test_it_is_a_log_or_a_summary_as_the_options_have_it() -> None:
    assert isinstance(Connlat(), LogReporter)
    assert not isinstance(Connlat(), SummaryReporter)
    for summary in (Connlat(by="all"), Connlat(histogram=True)):
        assert isinstance(summary, SummaryReporter)
        assert not isinstance(summary, LogReporter)


def test_by_remote_host_and_result() -> None:
    """An attempt of unknown time is in no distribution."""
    names = ("result", "address", "count", "min_ns", "max_ns")
    found = [
        tuple(each[name] for name in names) for each in dictionaries(report_of(by="remote").table)
    ]
    assert found == [
        ("ok", "52.33.159.26", 1, 1_795_000, 1_795_000),
        ("ok", "10.0.0.9", 1, 1_002 * MS, 1_002 * MS),
        ("refused", "52.33.159.26", 1, 3 * MS, 3 * MS),
        ("timeout", "203.0.113.9", 1, 127_000 * MS, 127_000 * MS),
    ]


def test_all_together() -> None:
    lines = text_of_report(report_of(by="all")).splitlines()
    assert lines[0] == ("RESULT    COUNT      MIN   MEDIAN      P95      P99      MAX (ms)")
    assert lines[1].startswith("ok            2    1.795")
    assert lines[2].startswith("refused       1    3.000")
    assert lines[3].startswith("timeout       1 127000.000")


def test_histograms_are_by_remote_host() -> None:
    lines = text_of_report(report_of(histogram=True)).splitlines()
    assert [line for line in lines if line.endswith("(ns)")] == [
        "  ok 52.33.159.26    (ns)",
        "  ok 10.0.0.9        (ns)",
        "  refused 52.33.159.26    (ns)",
        "  timeout 203.0.113.9     (ns)",
    ]
    # 1,795,000 lies between 2^20 and 2^21.
    assert any(
        line.startswith(f"{2**20:>16} |@") and line.rstrip().endswith(" 1") for line in lines
    )


def test_beyond_the_keys_all_are_one() -> None:
    report = report_of(by="remote", max_keys=0)
    (found,) = dictionaries(report.table)
    assert (found["result"], found["address"], found["hostname"], found["count"]) == (
        None,
        None,
        "(other)",
        4,
    )
    assert report.notes == ("more than 0 keys (--max-keys): what the others have is in (other)",)


def test_the_options_of_ends_choose_rows() -> None:
    table = rows_of(batch_of(ATTEMPTS), remoteport="80,444")
    assert [each["rport"] for each in dictionaries(table)] == [80, 444]
