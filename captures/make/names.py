"""names.pcapng: the connections of accepts.pcap, with the names of their hosts in the capture."""

from __future__ import annotations

from captures.make.accepts import BASS, MARLIN, MARLIN6, SERVER, SERVER_6, accepts
from captures.make.capture import Capture
from captures.make.pcapng import Blocks, Interface

NAMES = {BASS: "bass", MARLIN: "marlin", SERVER: "server"}
LATER_NAMES = {MARLIN6: "marlin6", SERVER_6: "server6", BASS: "not-bass"}


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {"names.pcapng": names()}


def names() -> Capture:
    """Names before the packets and behind them; of two names the first one counts."""
    blocks, interface, plain = Blocks("<"), Interface(), accepts()
    content = b"".join(
        [
            blocks.section_header(),
            blocks.names(NAMES),
            blocks.interface(interface),
            *(blocks.enhanced_packet(packet, interface) for packet in plain.packets),
            blocks.names(LATER_NAMES),
        ]
    )
    shows = "the ten accepts, with the names of their hosts in two name resolution blocks"
    facts = {**plain.facts, "names": {**LATER_NAMES, **NAMES}}
    return Capture(content, shows, plain.link_types, plain.packets, facts)
