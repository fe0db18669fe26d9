"""accepts.pcap and accepts.hosts: ten connections to one server, the sample of tcpaccept2.d.

The server has an IPv4 and an IPv6 address, so no single address is an end of every segment, and a
program that knows nothing of the local side must put the responder there.
"""

from __future__ import annotations

from collections import Counter

from captures.make.capture import Capture, Packet, accepted, by_time, connected, pcap
from captures.make.conversation import START_NS, Conversation
from captures.make.frames import Endpoint, is_ipv6
from captures.make.sessions import NO_END_IS_LOCAL, session

BASS, MARLIN, MARLIN6 = "192.168.1.109", "192.168.1.175", "2001:db8:1::175"
SERVER, SERVER_6 = "192.168.1.185", "2001:db8:1::185"
FINGER, LOGIN, SSH, TELNET = 79, 513, 22, 23

ACCEPTED = (  # in the order of time: client, its port, the server's port
    (MARLIN, 49201, SSH),
    (MARLIN, 49202, FINGER),
    (BASS, 1021, LOGIN),
    (MARLIN, 49203, TELNET),
    (MARLIN6, 49204, FINGER),
    (MARLIN, 49205, FINGER),
    (BASS, 1020, LOGIN),
    (MARLIN, 49206, SSH),
    (MARLIN, 49207, FINGER),
    (MARLIN, 49208, TELNET),
)

SAID = {  # request and response of each service
    FINGER: (b"\r\n", b"No one logged on\r\n"),
    LOGIN: (b"\0bgregg\0bgregg\0xterm/38400\0", b"\0"),
    SSH: (b"SSH-2.0-client\r\n", b"SSH-2.0-server\r\n"),
    TELNET: (b"\xff\xfd\x03", b"\xff\xfb\x03login: "),
}

HOSTS = f"""\
# Names for `tcpsnoop accept --hosts captures/accepts.hosts -r captures/accepts.pcap`
127.0.0.1\tlocalhost
{BASS}\tbass
{MARLIN}\tmarlin marlin.example
{SERVER}\tserver
{MARLIN6}\tmarlin6
{SERVER_6}\tserver6
"""

BETWEEN_NS = 700_000  # connections begin while the one before still runs


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    return {
        "accepts.pcap": accepts(),
        "accepts.hosts": Capture(
            HOSTS.encode(), "names of the hosts in accepts.pcap, as /etc/hosts", is_capture=False
        ),
    }


def accepts() -> Capture:
    """Ten connections, overlapping in time, each with data and closed."""
    talks = [_connection(number, *each) for number, each in enumerate(ACCEPTED)]
    peers = Counter((client, port) for client, _, port in ACCEPTED)
    services = Counter((_server(client), port) for client, _, port in ACCEPTED)
    facts = {
        "connections": len(ACCEPTED),
        "local_rule": NO_END_IS_LOCAL,
        "connects": [connected(*key, count) for key, count in sorted(services.items())],
        "accepts": [accepted(*key, count) for key, count in sorted(peers.items())],
        "refused": 0,
    }
    return pcap(
        by_time(*talks), "ten accepts, by three names at four services, IPv4 and IPv6", facts
    )


def _connection(number: int, client: str, client_port: int, port: int) -> list[Packet]:
    start = START_NS + number * BETWEEN_NS
    talk = Conversation(
        Endpoint(client, client_port), Endpoint(_server(client), port), start_ns=start
    )
    session(talk, *SAID[port])
    return talk.packets


def _server(client: str) -> str:
    return SERVER_6 if is_ipv6(client) else SERVER
