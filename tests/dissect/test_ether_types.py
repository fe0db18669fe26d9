"""MPLS, provider backbones and SNAP in front of IP."""

from __future__ import annotations

import struct

import pytest

from captures.make.link_headers import SERVICE_VLAN, VLAN, ethernet
from captures.make.wire_headers import BACKBONE, MPLS, backbone, mpls, snap, tagged_ethernet
from tcpsnoop.batches.verdicts import Verdict
from tests.dissect.one_frame import DissectOne
from tests.dissect.packets import FOUR, SIX, gives, is_cut_short, reads_both

MPLS_MULTICAST = 0x8848
CONTROL_WORD = bytes(4)


def labelled(packet: bytes, *labels: int, kind: int = MPLS) -> bytes:
    return ethernet(mpls(packet, *labels), protocol=kind)


@pytest.mark.parametrize("kind", [MPLS, MPLS_MULTICAST])
@pytest.mark.parametrize("depth", [1, 2, 16])
def test_labels(dissect: DissectOne, kind: int, depth: int) -> None:
    """RFC 3032: labels to the one with the bottom-of-stack bit, then IP of either version."""
    stack = range(100, 100 + depth)
    reads_both(dissect, labelled(FOUR, *stack, kind=kind), labelled(SIX, *stack, kind=kind))


def test_labels_end_somewhere(dissect: DissectOne) -> None:
    gives(dissect, Verdict.NOT_IP, labelled(FOUR, *range(17)))


def test_labels_behind_a_tag(dissect: DissectOne) -> None:
    four, six = (ethernet(mpls(each, 5), tags=[(VLAN, 7)], protocol=MPLS) for each in (FOUR, SIX))
    reads_both(dissect, four, six)


@pytest.mark.parametrize("control_word", [CONTROL_WORD, b""])
def test_pseudowire(dissect: DissectOne, control_word: bytes) -> None:
    """RFC 4448: a frame below the labels, with or without a control word; tagged or not."""
    for framed in (ethernet, tagged_ethernet):
        four, six = (labelled(control_word + framed(each), 5) for each in (FOUR, SIX))
        reads_both(dissect, four, six)


def test_other_things_below_labels(dissect: DissectOne) -> None:
    arp = ethernet(bytes(28), protocol=0x0806)
    gives(dissect, Verdict.NOT_IP, labelled(CONTROL_WORD + arp, 5), labelled(b"\x50" + FOUR, 5))


def test_cut_within_labels(dissect: DissectOne) -> None:
    is_cut_short(dissect, labelled(FOUR, 1, 2), FOUR)
    is_cut_short(dissect, labelled(SIX, 1), SIX)


def test_backbone(dissect: DissectOne) -> None:
    """IEEE 802.1ah: a service tag, an instance tag, the customer's frame with its own tag."""
    for framed in (ethernet, tagged_ethernet):
        four, six = (
            ethernet(backbone(framed(each)), tags=[(SERVICE_VLAN, 1)], protocol=BACKBONE)
            for each in (FOUR, SIX)
        )
        reads_both(dissect, four, six)
    is_cut_short(dissect, ethernet(backbone(ethernet(FOUR)), protocol=BACKBONE), FOUR)


def test_snap(dissect: DissectOne) -> None:
    four, six = (ethernet(snap(each), protocol=len(snap(each))) for each in (FOUR, SIX))
    reads_both(dissect, four, six)
    gives(dissect, Verdict.NOT_IP, ethernet(snap(FOUR, organisation=0xC), protocol=60))


def test_nothing_leads_round_for_ever(dissect: DissectOne) -> None:
    """Frames in frames (0x6558 is Ethernet again) end at the limit."""
    frame = ethernet(FOUR)
    for _ in range(8):
        frame = ethernet(frame, protocol=0x6558)
    assert dissect(frame).verdict is Verdict.TCP
    gives(dissect, Verdict.NOT_IP, ethernet(frame, protocol=0x6558))
    loop = struct.pack(">HH", 7, VLAN) * 30
    gives(dissect, Verdict.NOT_IP, ethernet(loop, protocol=VLAN))
