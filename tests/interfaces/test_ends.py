"""The columns of a connection's end, and which ends the options choose."""

from __future__ import annotations

import re

import pytest

from tcpsnoop.batches.addresses import text_of
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.ends import ADDRESSES, ROLE, Ends, end_values
from tcpsnoop.report import Values
from tests.probe_batches import batch_of, row

BATCH = batch_of(
    [
        row("closed", "10.0.0.1 80", "10.0.0.2 5000", end=RESPONDER),
        row("closed", "10.0.0.1 443", "10.0.0.3 6000", end=RESPONDER),
        row("closed", "2001:db8::1 5000", "2001:db8::2 80", end=ORIGINATOR),
        row("closed", "::1 80", "::1 5000", end=RESPONDER),
    ]
)


def texts(values: Values) -> list[object]:
    return [values.pool[at] for at in values.data.tolist()]


def test_the_columns_of_an_end() -> None:
    values = end_values(BATCH)
    assert {column.name for column in (*ADDRESSES, ROLE)} <= set(values)
    assert [text_of(*each) for each in values["laddr"].data.tolist()] == [
        "10.0.0.1",
        "10.0.0.1",
        "2001:db8::1",
        "::1",
    ]
    assert [text_of(*each) for each in values["raddr"].data.tolist()][1:3] == [
        "10.0.0.3",
        "2001:db8::2",
    ]
    assert values["lport"].data.tolist() == [80, 443, 5000, 80]
    assert values["rport"].data.tolist() == [5000, 6000, 80, 5000]
    assert texts(values["role"]) == ["responder", "responder", "originator", "responder"]
    assert texts(values["ip"]) == ["4", "4", "6", "6"]


@pytest.mark.parametrize(
    ("ends", "chosen"),
    [
        (Ends(), [True, True, True, True]),
        (Ends(localport="80"), [True, False, False, True]),
        (Ends(localport="443,5000"), [False, True, True, False]),
        (Ends(remoteport="5000"), [True, False, False, True]),
        (Ends(localport="80", remoteport="6000"), [False] * 4),
        (Ends(ipv4=True), [True, True, False, False]),
        (Ends(ipv6=True, localport="80"), [False, False, False, True]),
    ],
)
def test_the_options_choose(ends: Ends, chosen: list[bool]) -> None:
    assert ends.chosen(BATCH.rows).tolist() == chosen


@pytest.mark.parametrize("text", ["http", "80,", "-1", "65536", "80 443", "²"])
def test_what_is_no_list_of_ports_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"-L {text}")):
        Ends(localport=text)
    with pytest.raises(UsageError, match=re.escape(f"-D {text}")):
        Ends(remoteport=text)


def test_one_version_alone_is_one() -> None:
    with pytest.raises(UsageError, match="-4, -6"):
        Ends(ipv4=True, ipv6=True)
