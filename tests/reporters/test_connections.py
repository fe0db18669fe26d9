"""`connections`: the line of the Toolkit's connections, for each handshake that was completed."""

from __future__ import annotations

from typing import Any

from tcpsnoop.batches.owners import EXACT, LISTENER, Owner, Process
from tcpsnoop.batches.probes import RESPONDER
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.connections import Connections
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries

# By the script: "%5s %5s %-12s %4s %5s %s\n", and "%5d %5d %-12s %4s %5d %d.%d.%d.%d\n" for each.
LINES = """\
  UID   PID CMD          TYPE  PORT IP_SOURCE
    0   242 inetd         tcp    79 192.168.1.1
  100 20783 Xorg          tcp  6000 192.168.1.109
    0   242 inetd         tcp    23 2001:db8::1
"""
INETD = Owner(EXACT, Process(242, 1, "inetd", uid=0))
XORG = Owner(LISTENER, Process(20783, 1, "Xorg", uid=100))


def accepted(port: int, client: str) -> dict[str, Any]:
    local = "2001:db8::2" if ":" in client else "192.168.1.5"
    return row("accept-established", f"{local} {port}", f"{client} 5000", end=RESPONDER)


BATCH = batch_of(
    [
        accepted(79, "192.168.1.1"),
        accepted(6000, "192.168.1.109"),
        accepted(23, "2001:db8::1"),
    ],
    [INETD, XORG, INETD],
)


def test_the_lines_of_the_toolkit() -> None:
    renderer = Text(RenderOptions())
    log = Connections()
    found = renderer.begin(log.schema) + b"".join(renderer.rows(log.rows(BATCH)))
    assert found.decode() == LINES


def test_every_field_of_a_row() -> None:
    assert list(dictionaries(Connections().rows(BATCH))[1].items()) == [
        ("time", "2006-05-13T08:00:00.000000Z"),
        ("pid", 20783),
        ("command", "Xorg"),
        ("uid", 100),
        ("laddr", "192.168.1.5"),
        ("lport", 6000),
        ("raddr", "192.168.1.109"),
        ("rport", 5000),
        ("attribution", "listener"),
        ("reason", None),
        ("holders", None),
    ]


def test_the_options_of_ends_choose_rows() -> None:
    def ports(**options: Any) -> list[int]:
        return [each["lport"] for each in dictionaries(Connections(**options).rows(BATCH))]

    assert ports(localport="79,23") == [79, 23]
    assert ports(ipv6=True) == [23]
    assert ports(remoteport="1") == []


def test_each_accept_is_a_line(run_tcpsnoop: RunTcpsnoop, capture: Capture) -> None:
    """As many as the report accept counts: ten, one of them over IPv6, none that was refused."""
    done = run_tcpsnoop("connections", "-r", capture("accepts.pcap"))
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [line[:4] for line in lines] == [["-", "-", "-", "tcp"]] * 10
    counts: dict[tuple[str, str], int] = {}
    for *_, port, source in lines:
        counts[source, port] = counts.get((source, port), 0) + 1
    summary = run_tcpsnoop("accept", "-n", "-r", capture("accepts.pcap")).stdout
    told = [line.split() for line in summary.splitlines()[1:]]
    assert counts == {(host, port): int(count) for host, port, count in told}
    refused = run_tcpsnoop("connections", "-r", capture("handshake-refused.pcap"))
    assert refused.stdout.count("\n") == 1
