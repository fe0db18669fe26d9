"""`refused`: each cause as a line and as fields, ICMP decoded, and what is no failure."""

from __future__ import annotations

from typing import Any

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.batches.owners import HOLDER, NOT_ASKED, Owner, Process
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.refused import Refused
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

MS = 1_000_000
HERE, THERE = "10.0.0.1 50000", "198.51.100.20 443"


def icmp(version: int, kind: int, code: int, sender: str = "192.0.2.254") -> dict[str, Any]:
    high, low = halves(sender)
    fields = {"new": version, "kind": kind, "code": code, "elapsed_ns": 5 * MS, "count": 1}
    return row("unreachable", HERE, THERE, sender_high=high, sender_low=low, **fields)


def reset(ttl: int, before: int) -> dict[str, Any]:
    return row("reset", HERE, THERE, ttl=ttl, old=before, new=4)


FAILURES = [
    row("connect-refused", HERE, THERE, elapsed_ns=80 * MS, ttl=52, end=ORIGINATOR),
    row("accept-refused", "10.0.0.1 81", "10.0.0.2 6000", elapsed_ns=1_000, ttl=64, end=RESPONDER),
    row("connect-timeout", HERE, THERE, elapsed_ns=127_000 * MS, count=6),
    icmp(4, 3, 13),
    reset(64, 52),
]


def test_a_line_for_each_failure() -> None:
    renderer = Text(RenderOptions())
    owners = [Owner(HOLDER, Process(7, 1, "curl")), *[NOT_ASKED] * 4]
    table = Refused().rows(batch_of(FAILURES, owners))
    found = (renderer.begin(Refused().schema) + b"".join(renderer.rows(table))).decode()
    ends = "-       -            10.0.0.1        50000 -> 198.51.100.20   443   "
    assert found.splitlines() == [
        "PID     COMM         LADDR           LPORT D  RADDR           RPORT "
        "MS        RETRIES ICMP FROM       CAUSE",
        "7       curl         10.0.0.1        50000 -> 198.51.100.20   443   "
        "80.00     0       -               refused",
        "-       -            10.0.0.1        81    <- 10.0.0.2        6000  "
        "0.00      0       -               refused",
        f"{ends}127000.00 6       -               timeout",
        f"{ends}5.00      1       192.0.2.254     unreachable: administratively prohibited",
        f"{ends}-         -       -               forged reset (TTL 64, before 52)",
    ]


def test_every_field_of_a_row() -> None:
    event = icmp(4, 3, 1) | {"time_ns": START_NS + 5_000}
    assert list(dictionaries(Refused().rows(batch_of([event])))[0].items()) == [
        ("time", "2006-05-13T08:00:00.000005Z"),
        ("pid", None),
        ("command", None),
        ("laddr", "10.0.0.1"),
        ("lport", 50000),
        ("raddr", "198.51.100.20"),
        ("rport", 443),
        ("role", "originator"),
        ("cause", "unreachable"),
        ("icmp", "host unreachable"),
        ("icmp_sender", "192.0.2.254"),
        ("ttl", None),
        ("ttl_before", None),
        ("retries", 1),
        ("elapsed_seconds", 0.005),
        ("attribution", "unknown"),
        ("reason", "not recorded"),
        ("holders", None),
    ]


def test_what_does_not_apply_is_null() -> None:
    names = ("cause", "icmp", "icmp_sender", "ttl", "ttl_before", "retries", "elapsed_seconds")
    found = dictionaries(Refused().rows(batch_of([FAILURES[0], FAILURES[2], FAILURES[4]])))
    assert [tuple(each[name] for name in names) for each in found] == [
        ("refused", None, None, 52, None, 0, 0.08),
        ("timeout", None, None, None, None, 6, 127.0),
        ("forged reset", None, None, 64, 52, None, None),
    ]


# RFC 792, RFC 1812 section 5.2.7.1; RFC 4443 sections 3.1, 3.3, 3.4.
@pytest.mark.parametrize(
    ("version", "kind", "code", "says"),
    [
        (4, 3, 0, "net unreachable"),
        (4, 3, 3, "port unreachable"),
        (4, 3, 9, "net prohibited"),
        (4, 3, 10, "host prohibited"),
        (4, 3, 15, "precedence cutoff"),
        (4, 3, 99, "type 3 code 99"),
        (4, 11, 0, "TTL exceeded"),
        (4, 12, 0, "parameter problem"),
        (6, 1, 0, "no route"),
        (6, 1, 1, "administratively prohibited"),
        (6, 1, 3, "address unreachable"),
        (6, 1, 4, "port unreachable"),
        (6, 1, 6, "reject route"),
        (6, 3, 1, "reassembly time exceeded"),
        (6, 4, 2, "parameter problem"),
    ],
)
def test_icmp_is_decoded(version: int, kind: int, code: int, says: str) -> None:
    (found,) = dictionaries(Refused().rows(batch_of([icmp(version, kind, code)])))
    assert found["icmp"] == says


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(icmp(4, 3, 4), id="fragmentation needed"),
        pytest.param(icmp(6, 2, 0), id="packet too big"),
        pytest.param(icmp(4, 5, 1), id="redirect"),
        pytest.param(icmp(4, 4, 0), id="source quench"),
        pytest.param(reset(52, 52), id="a reset by the host itself"),
        pytest.param(reset(52, 0), id="a reset by one that sent nothing before"),
    ],
)
def test_what_is_no_failure(event: dict[str, Any]) -> None:
    assert dictionaries(Refused().rows(batch_of([event]))) == []


def test_the_options_of_ends_choose_rows() -> None:
    table = Refused(localport="81").rows(batch_of(FAILURES))
    assert [each["role"] for each in dictionaries(table)] == ["responder"]
    assert table.origin is not None
    assert table.origin.tolist() == [1]
