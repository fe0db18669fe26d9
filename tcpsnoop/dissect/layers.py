"""One frame, layer by layer; tunnels will go round here."""

from __future__ import annotations

from tcpsnoop.batches.verdicts import NOT_IP
from tcpsnoop.dissect.fields import Bytes
from tcpsnoop.dissect.icmp import verdict_on_other
from tcpsnoop.dissect.ip import TCP_PROTOCOL, open_ip
from tcpsnoop.dissect.link import IPV4, IPV6, open_link
from tcpsnoop.dissect.tcp import Counters, write_segment
from tcpsnoop.kernel import Integer, Row, inlined


@inlined
def dissect_frame(
    frame: Bytes,
    link_type: Integer,
    original: Integer,
    segment: Row,
    counters: Counters,
) -> Integer:
    """The verdict on one frame; `segment` gets its innermost IP layer and its TCP."""
    ether_type, at = open_link(frame, link_type)
    # A tunnel goes on from here: what it carries begins with an EtherType, an offset and an end.
    if ether_type < 0:
        return ~ether_type
    if ether_type != IPV4 and ether_type != IPV6:
        return NOT_IP
    protocol, at, end = open_ip(frame, at, ether_type, original, segment)
    if protocol < 0:
        return ~protocol
    if protocol == TCP_PROTOCOL:
        return write_segment(frame, at, end, original, segment, counters)
    return verdict_on_other(frame, at, protocol, ether_type, segment)
