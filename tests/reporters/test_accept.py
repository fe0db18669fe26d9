"""`accept`: the ten accepts of the specification, the order of rows, the cap."""

from __future__ import annotations

from tcpsnoop.report import Report
from tcpsnoop.reporters.accept import Accept
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

ACCEPTS = """\
   HOSTNAME                   PORT        COUNT
   marlin6                    finger          1
   bass                       login           2
   marlin                     ssh             2
   marlin                     telnet          2
   marlin                     finger          3
"""


def counted(*ends: tuple[str, int], max_keys: int = 100) -> Report:
    """The report of accepts from these addresses at these local ports."""
    reporter = Accept(max_keys=max_keys)
    rows = [
        row("accept-established", f"10.0.0.1 {port}", f"{address} {40000 + number}")
        for number, (address, port) in enumerate(ends)
    ]
    reporter.observe(batch_of(rows))
    return reporter.report()


def test_the_program_prints_the_ten_accepts(run_tcpsnoop: RunTcpsnoop, capture: Capture) -> None:
    hosts, accepts = capture("accepts.hosts"), capture("accepts.pcap")
    done = run_tcpsnoop("accept", "--hosts", hosts, "-r", accepts)
    assert (done.returncode, done.stdout) == (0, ACCEPTS)


def test_without_names_the_layout_has_addresses_and_ports() -> None:
    report = counted(("192.168.1.175", 79), ("192.168.1.175", 79), ("2001:db8:1::175", 22))
    assert text(report) == (
        f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"
        f"   {'2001:db8:1::175':<26} {'22':<8} {1:>8}\n"
        f"   {'192.168.1.175':<26} {'79':<8} {2:>8}\n"
    )


def test_rows_ascend_by_count_then_address_as_text_then_port_as_number() -> None:
    ends = [
        ("9.9.9.9", 80),
        ("9.9.9.9", 80),
        ("2001:db8::1", 80),
        ("10.0.0.9", 80),
        ("10.0.0.10", 443),
        ("10.0.0.10", 80),
        ("100.0.0.1", 80),
    ]
    found = [
        (each["raddr"], each["lport"], each["count"]) for each in dictionaries(counted(*ends).table)
    ]
    assert found == [
        ("10.0.0.10", 80, 1),
        ("10.0.0.10", 443, 1),
        ("10.0.0.9", 80, 1),
        ("100.0.0.1", 80, 1),
        ("2001:db8::1", 80, 1),
        ("9.9.9.9", 80, 2),
    ]


def test_the_clients_port_and_the_local_address_make_no_row_of_their_own() -> None:
    reporter = Accept()
    for local, remote in (("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.1", 3)):
        reporter.observe(batch_of([row("accept-established", f"{local} 80", f"9.9.9.9 {remote}")]))
    assert [each["count"] for each in dictionaries(reporter.report().table)] == [3]


def test_nothing_is_a_header_alone() -> None:
    report = Accept().report()
    assert text(report) == f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"
    assert report.notes == ()


def test_beyond_the_cap_all_others_are_one_last_row_with_a_note() -> None:
    ends = [(f"10.0.1.{number}", 80) for number in range(6) for _ in range(number + 1)]
    report = counted(*ends, max_keys=4)
    rows = dictionaries(report.table)
    true_counts = {f"10.0.1.{number}": number + 1 for number in range(6)}
    kept = {each["raddr"]: each["count"] for each in rows[:-1]}
    assert len(kept) == 4
    assert kept.items() <= true_counts.items()
    other = rows[-1]
    assert (other["raddr"], other["hostname"], other["lport"]) == (None, "(other)", None)
    assert other["count"] == sum(true_counts.values()) - sum(kept.values())
    assert text(report).splitlines()[-1] == f"   {'(other)':<26} {'-':<8} {other['count']:>8}"
    assert report.notes == ("more than 4 keys (--max-keys): what the others have is in (other)",)
