"""Side and path: what the frame itself says of the way it came (SEMANTICS 4, rules 0 and 3)."""

from __future__ import annotations

import itertools

import pytest

from captures.make.frames import ACK, Endpoint, ipv4, tcp
from captures.make.link_headers import COOKED_V1, COOKED_V2, cooked_v1, cooked_v2, ethernet
from tcpsnoop.batches.packets import CaptureInterface
from tests.dissect.one_frame import DissectOne, batch_of

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 443)
PACKET = ipv4(*ENDS, tcp(*ENDS, flags=ACK))
UNKNOWN, INBOUND, OUTBOUND, LOOPBACK = range(4)
LOOPBACK_HARDWARE = 772


@pytest.mark.parametrize("direction", [0, 1, 2, 3, 255])
def test_direction_of_the_capture(dissect: DissectOne, direction: int) -> None:
    """epb_flags: 1 inbound, 2 outbound; 0 is unknown and 3 has no meaning."""
    expected = {1: INBOUND, 2: OUTBOUND}.get(direction, UNKNOWN)
    assert dissect(ethernet(PACKET), direction=direction)["side"] == expected


@pytest.mark.parametrize("packet_type", range(8))
@pytest.mark.parametrize("direction", [0, 1, 2])
def test_cooked_packet_type(dissect: DissectOne, packet_type: int, direction: int) -> None:
    """0 is to us, 4 from us, whatever the capture says besides; the others say nothing."""
    expected = {0: INBOUND, 4: OUTBOUND}.get(packet_type, direction)
    first = cooked_v1(PACKET, packet_type=packet_type)
    second = cooked_v2(PACKET, packet_type=packet_type)
    assert dissect(first, COOKED_V1, direction=direction)["side"] == expected
    assert dissect(second, COOKED_V2, direction=direction)["side"] == expected


def test_loopback_device(dissect: DissectOne) -> None:
    assert dissect(ethernet(PACKET), direction=1, loopback=True)["side"] == LOOPBACK
    for packet_type in (0, 4):
        first = cooked_v1(PACKET, packet_type=packet_type, hardware_type=LOOPBACK_HARDWARE)
        second = cooked_v2(PACKET, packet_type=packet_type, hardware_type=LOOPBACK_HARDWARE)
        assert dissect(first, COOKED_V1)["side"] == LOOPBACK
        assert dissect(second, COOKED_V2)["side"] == LOOPBACK


def test_hardware_type_is_read_from_cooked_headers_only(dissect: DissectOne) -> None:
    destination = LOOPBACK_HARDWARE.to_bytes(4, "big") + bytes(2)
    assert dissect(ethernet(PACKET, destination=destination))["side"] == UNKNOWN


def test_path_is_interface_and_packet_type(dissect: DissectOne) -> None:
    frames = [
        ethernet(PACKET),
        cooked_v1(PACKET, packet_type=4),
        ethernet(PACKET),
        cooked_v1(PACKET, packet_type=15),
        cooked_v1(PACKET, packet_type=0xFFFF),
    ]
    interfaces = [CaptureInterface(kind) for kind in (1, COOKED_V1, 1)]
    batch = batch_of(frames, interfaces=[0, 1, 2, 1, 1])
    segments, _ = dissect.package.Dissector(8).dissect(batch, interfaces)
    assert segments["path"].tolist() == [15, 16 + 4, 32 + 15, 16 + 14, 16 + 14]
    assert segments["interface"].tolist() == [0, 1, 2, 1, 1]


def test_paths_differ_by_the_device_that_cooked_v2_names(dissect: DissectOne) -> None:
    """`any` sees a packet on a bridge and on its port: same packet type, another device."""
    ways = list(itertools.product(range(1, 40), (0, 4)))
    frames = [cooked_v2(PACKET, packet_type=kind, interface_index=device) for device, kind in ways]
    segments, _ = dissect.package.Dissector(8).dissect(
        batch_of(frames * 2), [CaptureInterface(COOKED_V2)]
    )
    paths = segments["path"].tolist()
    assert len(set(paths)) == len(ways)
    assert paths[: len(ways)] == paths[len(ways) :]
    assert min(paths) >= 0


def test_the_largest_device_and_interface_stay_in_the_column(dissect: DissectOne) -> None:
    frame = cooked_v2(PACKET, packet_type=0, interface_index=2**32 - 1)
    assert dissect(frame, COOKED_V2)["path"] == 0x7FFF << 16
