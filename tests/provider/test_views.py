"""From which ends each probe is seen: both ends local, one of them, or rule 5 (SEMANTICS 4, 6)."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.provider.everything import everything
from tests.provider.talk import CLIENT, SERVER
from tests.provider.tracked import EVERY, Fired, track

# "connect-* are seen from the originator, accept-* from the responder".
OF_THE_ORIGINATOR = {
    *("connect-request", "connect-established", "connect-refused", "connect-timeout"),
}
OF_THE_RESPONDER = {"accept-established", "accept-refused", "accept-overflow"}
# "Probes of one end"; a round-trip time is one of the end that sent what was answered.
OF_ONE_END = {
    *("write", "state-change", "retransmit", "window-closed", "window-opened", "rtt-sample"),
}
# The rest are of the connection: each local end sees them, under rule 5 the responder; but both see
# an answer.
OF_BOTH = {
    *("closed", "duplicate-frame", "out-of-order", "duplicate-ack", "keep-alive"),
    *("window-probe", "first-byte", "reset", "repeat"),
}
SHOWN = {"send", "receive"}


@cache
def seen(*local: str) -> list[Fired]:
    """Every probe of the capture when these addresses are local, without what differs anyway."""
    fired = track(everything(), *EVERY, local=local)
    return [each._replace(remote_local=False) for each in fired if each.probe not in SHOWN]


def address(each: Fired) -> str:
    return each.left.split()[0]


BOTH = (CLIENT.address, SERVER.address)


def test_every_probe_has_its_kind_and_fires_somewhere() -> None:
    """`unreachable` needs an ICMP error."""
    kinds = OF_THE_ORIGINATOR | OF_THE_RESPONDER | OF_ONE_END | OF_BOTH | SHOWN
    assert kinds | {"unreachable"} == set(EVERY)
    assert {each.probe for each in seen(*BOTH)} == kinds - SHOWN


def test_both_ends_local() -> None:
    ends: dict[tuple[str, int], Counter[str]] = {}
    for each in seen(*BOTH):
        ends.setdefault((each.probe, each.packet), Counter())[each.end] += 1
    for (probe, packet), counts in ends.items():
        if probe in OF_BOTH:
            assert counts["originator"] == counts["responder"], (probe, packet)
        elif probe in OF_THE_ORIGINATOR:
            assert set(counts) == {"originator"}, (probe, packet)
        elif probe in OF_THE_RESPONDER:
            assert set(counts) == {"responder"}, (probe, packet)


@pytest.mark.parametrize("probe", ["retransmit", "window-closed", "window-opened", "write"])
def test_what_an_end_does_is_seen_from_it(probe: str) -> None:
    assert {each.direction for each in seen(*BOTH) if each.probe == probe} == {"->"}


@pytest.mark.parametrize("local", BOTH)
def test_one_end_local(local: str) -> None:
    """It sees what is its own of all that both see."""
    assert seen(local) == [each for each in seen(*BOTH) if address(each) == local]


def test_no_end_known_to_be_local() -> None:
    """Rule 5: both see what is of one end; what is of the connection, the responder."""
    expected = [
        each
        for each in seen(*BOTH)
        if each.probe not in OF_BOTH - {"first-byte"} or each.end == "responder"
    ]
    assert seen() == expected
