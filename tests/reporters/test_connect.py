"""`connect`: what was opened, by remote address and remote port."""

from __future__ import annotations

from tcpsnoop.reporters.connect import Connect
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text


def reporter_of(*ends: tuple[str, int]) -> Connect:
    """What has observed connects to these addresses and ports."""
    reporter = Connect()
    rows = [
        row("connect-established", f"10.0.0.1 {40000 + number}", f"{address} {port}")
        for number, (address, port) in enumerate(ends)
    ]
    reporter.observe(batch_of(rows))
    return reporter


def test_the_port_is_the_remote_one() -> None:
    report = reporter_of(("192.168.1.185", 79), ("192.168.1.185", 22), ("192.168.1.185", 79))
    assert text(report.report()) == (
        f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"
        f"   {'192.168.1.185':<26} {'22':<8} {1:>8}\n"
        f"   {'192.168.1.185':<26} {'79':<8} {2:>8}\n"
    )


def test_rows_ascend_by_count_then_address_as_text_then_port_as_number() -> None:
    ends = [("9.9.9.9", 80), ("10.0.0.9", 443), ("10.0.0.9", 80), ("9.9.9.9", 80), ("::1", 9)]
    found = [
        (each["raddr"], each["rport"], each["count"])
        for each in dictionaries(reporter_of(*ends).report().table)
    ]
    expected = [("10.0.0.9", 80, 1), ("10.0.0.9", 443, 1), ("::1", 9, 1), ("9.9.9.9", 80, 2)]
    assert found == expected


def test_the_program_counts_the_servers_that_were_connected_to(
    run_tcpsnoop: RunTcpsnoop, capture: Capture
) -> None:
    """Ten connections, each seen by the originator too: no end is known to be local."""
    done = run_tcpsnoop("connect", "-n", "-r", capture("accepts.pcap"))
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert done.returncode == 0
    assert sum(int(count) for _, _, count in rows) == 10
