"""What a filter on the outermost frame cannot see is noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from captures.make.catalogue import HOME
from captures.make.frames import ipv4, udp
from captures.make.link_headers import COOKED_V1, ETHERNET, RAW, cooked_v1, ethernet
from captures.make.tunnel_headers import UDP
from tcpsnoop.dissect.outermost import carries_more
from tests.dissect.agreement import batch_and_interfaces
from tests.dissect.one_frame import batch_of
from tests.dissect.packets import ENDS, FOUR, SIX
from tests.oracle_files import read

COVERED = ["vlan", "qinq", "mpls", "pppoe", "backbone"]
PLAIN = ["finger", "ipv6", "fragments", "raw", "cooked-v1", "null", "snap"]
TUNNELS = ["ip", "gre", "erspan", "vxlan", "geneve", "gtp", "l2tp", "teredo", "ayiya", "nested"]


def noticed(name: str) -> list[bool]:
    """Of each packet of a capture."""
    batch, interfaces = batch_and_interfaces(read((HOME / f"{name}.pcap").read_bytes()).packets)
    link_types = np.array([each.link_type for each in interfaces], np.int64)
    count = len(batch.packet)
    return [carries_more(batch, link_types, np.arange(count) == one) for one in range(count)]


@pytest.mark.parametrize("name", [*COVERED, *(f"tunnel-{each}" for each in TUNNELS)])
def test_covers_and_tunnels(name: str) -> None:
    found = noticed(name)
    told = json.loads((HOME / "MANIFEST.json").read_text())[f"{name}.pcap"]["packets"]
    assert found.count(True) == told


@pytest.mark.parametrize("name", PLAIN)
def test_plain_packets(name: str) -> None:
    assert not any(noticed(name))


def test_chosen_packets_only_and_short_ones_too() -> None:
    tunnel = ipv4(*ENDS, udp(ENDS[0], ENDS[1]._replace(port=4789), b""), protocol=UDP)
    for link_type, framed in (
        (ETHERNET, ethernet(tunnel)),
        (RAW, tunnel),
        (COOKED_V1, cooked_v1(tunnel, packet_type=0)),
    ):
        batch = batch_of([framed, framed[: len(framed) - 5], framed[:9], b"", FOUR, SIX])
        link_types = np.array([link_type], np.int64)
        for number in range(6):
            chosen = np.arange(6) == number
            assert carries_more(batch, link_types, chosen) == (number == 0)
