"""Names of link types, for people: those that are dissected, and those often met that are not."""

from __future__ import annotations

from tcpsnoop.batches.packets import SNOOP_DATALINKS, link_type_label

# LINKTYPE_ numbers of tcpdump.org/linktypes.html.
_NAMES = {
    0: "BSD null",
    1: "Ethernet",
    6: "token ring",
    7: "ARCNET, BSD",
    8: "SLIP",
    9: "PPP",
    10: "FDDI",
    12: "raw IP",
    14: "raw IP",
    50: "PPP in HDLC",
    51: "PPPoE",
    101: "raw IP",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    107: "frame relay",
    108: "BSD loop",
    113: "Linux cooked v1",
    119: "IEEE 802.11 with Prism header",
    127: "IEEE 802.11 with radiotap",
    129: "ARCNET, Linux",
    147: "user 0",
    163: "IEEE 802.11 with AVS header",
    166: "PPP with direction, pppd",
    187: "Bluetooth HCI",
    192: "PPI",
    195: "IEEE 802.15.4",
    204: "PPP with direction",
    205: "Cisco HDLC with direction",
    220: "USB, Linux",
    226: "Solaris ipnet",
    228: "raw IPv4",
    229: "raw IPv6",
    230: "IEEE 802.15.4 without check sequence",
    239: "NFLOG",
    242: "IP over InfiniBand",
    249: "USB, USBPcap",
    253: "netlink",
    258: "PKTAP",
    271: "vsock",
    274: "Ethernet mPacket",
    276: "Linux cooked v2",
}


def link_name(link_type: int) -> str | None:
    """What people call a link type; None where only its number is known."""
    if link_type >= SNOOP_DATALINKS:
        return f"datalink {link_type_label(link_type)}"
    return _NAMES.get(link_type)
