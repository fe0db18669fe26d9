"""service.pcap: a server and four clients, captured at the server; one answer takes its time.

    client     port  path     what it does
    near       8080    2 ms   23 requests of 120 bytes, answers of 600 in 5 ms; the 17th in 400 ms
    far        8080   80 ms   11 of the same, all answered in 5 ms
    logger      514  0.3 ms   61 lines of 60 bytes, a segment each, and no answer
    mail         25   30 ms   waits for the greeting, 250 ms; says goodbye, answered in 3 ms

A path is the time from what the server sends to the client's acknowledgment of it. The server
itself acknowledges everything after 0.1 ms, its SYN|ACK included.
"""

from __future__ import annotations

from captures.make.capture import Capture, Packet, Truth, accepted, by_time, pcap
from captures.make.conversation import START_NS, Conversation
from captures.make.frames import ACK, FIN, PUSH, SYN, Endpoint
from captures.make.sessions import THE_ONE_ADDRESS

SERVER = "198.51.100.20"
NEAR, FAR = Endpoint("192.0.2.10", 49_152), Endpoint("203.0.113.80", 50_001)
LOGGER, MAIL = Endpoint("192.0.2.33", 51_002), Endpoint("203.0.113.25", 52_003)
WEB_PORT, LOG_PORT, MAIL_PORT = 8080, 514, 25
NEAR_US, FAR_US, LOGGER_US, MAIL_US = 2_000, 80_000, 300, 30_000
ACKNOWLEDGED_US = 100

NEAR_REQUESTS, FAR_REQUESTS, LINES = 23, 11, 61  # prime: a sum tells which were counted
SLOW_REQUEST = 17
SERVING_US, SLOW_US, GREETING_US, GOODBYE_US = 5_000, 400_000, 250_000, 3_000
THINKING_US, BETWEEN_LINES_US = 1_000, 10_000

REQUEST, RESPONSE = b"q" * 120, b"r" * 600
LINE = b"l" * 59 + b"\n"
GREETING, QUIT, GOODBYE = b"220 mail.example ready\r\n", b"QUIT\r\n", b"221 bye\r\n"


def captures() -> dict[str, Capture]:
    """The capture of this module by name."""
    return {"service.pcap": service()}


def service() -> Capture:
    """All four clients."""
    ways = ((_near, NEAR, WEB_PORT), (_far, FAR, WEB_PORT), (_log, LOGGER, LOG_PORT))
    packets: list[list[Packet]] = []
    for number, (way, client, port) in enumerate((*ways, (_mail, MAIL, MAIL_PORT))):
        start = START_NS + number * 3_000_000
        talk = Conversation(client, Endpoint(SERVER, port), start_ns=start)
        way(talk)
        packets.append(talk.packets)
    return pcap(by_time(*packets), "a server with near and far clients, one slow answer", _facts())


def _facts() -> Truth:
    web = {"lport": WEB_PORT, "server_first": False}
    mail = {"lport": MAIL_PORT}
    return {
        "connections": 4,
        "local_rule": THE_ONE_ADDRESS,
        "local": [SERVER],
        "connects": [],
        "accepts": [
            accepted(client.address, port)
            for client, port in (
                (NEAR, WEB_PORT),
                (LOGGER, LOG_PORT),
                (MAIL, MAIL_PORT),
                (FAR, WEB_PORT),
            )
        ],
        "refused": 0,
        "payload": [
            _payload(NEAR, WEB_PORT, NEAR_REQUESTS * len(RESPONSE), NEAR_REQUESTS * len(REQUEST)),
            _payload(FAR, WEB_PORT, FAR_REQUESTS * len(RESPONSE), FAR_REQUESTS * len(REQUEST)),
            _payload(LOGGER, LOG_PORT, 0, LINES * len(LINE)),
            _payload(MAIL, MAIL_PORT, len(GREETING) + len(GOODBYE), len(QUIT)),
        ],
        # From a segment of data that the server sent to its acknowledgment.
        "round_trips": [
            {"raddr": NEAR.address, "ns": NEAR_US * 1000, "count": NEAR_REQUESTS},
            {"raddr": FAR.address, "ns": FAR_US * 1000, "count": FAR_REQUESTS},
            {"raddr": MAIL.address, "ns": MAIL_US * 1000, "count": 2},
        ],
        "first_bytes": [
            {**web, "ns": SERVING_US * 1000, "count": NEAR_REQUESTS + FAR_REQUESTS - 1},
            {**web, "ns": SLOW_US * 1000, "count": 1},
            {**mail, "server_first": True, "ns": GREETING_US * 1000, "count": 1},
            {**mail, "server_first": False, "ns": GOODBYE_US * 1000, "count": 1},
        ],
    }


def _payload(client: Endpoint, port: int, sent: int, received: int) -> Truth:
    return {"raddr": client.address, "lport": port, "tx": sent, "rx": received}


def _near(talk: Conversation) -> None:
    _begins(talk, NEAR_US)
    for number in range(1, NEAR_REQUESTS + 1):
        _asks(talk, NEAR_US, SLOW_US if number == SLOW_REQUEST else SERVING_US)
    _ends(talk, NEAR_US)


def _far(talk: Conversation) -> None:
    _begins(talk, FAR_US)
    for _ in range(FAR_REQUESTS):
        _asks(talk, FAR_US, SERVING_US)
    _ends(talk, FAR_US)


def _log(talk: Conversation) -> None:
    _begins(talk, LOGGER_US)
    for _ in range(LINES):
        talk.originator.sends(PUSH | ACK, LINE, after_us=BETWEEN_LINES_US)
        talk.responder.sends(ACK, after_us=ACKNOWLEDGED_US)
    _ends(talk, LOGGER_US)


def _mail(talk: Conversation) -> None:
    _begins(talk, MAIL_US)
    talk.responder.sends(PUSH | ACK, GREETING, after_us=GREETING_US)
    talk.originator.sends(ACK, after_us=MAIL_US)
    _asks(talk, MAIL_US, GOODBYE_US, QUIT, GOODBYE)
    _ends(talk, MAIL_US)


def _begins(talk: Conversation, path_us: int) -> None:
    talk.originator.sends(SYN)
    talk.responder.sends(SYN | ACK, after_us=ACKNOWLEDGED_US)
    talk.originator.sends(ACK, after_us=path_us)


def _asks(
    talk: Conversation,
    path_us: int,
    serving_us: int,
    request: bytes = REQUEST,
    response: bytes = RESPONSE,
) -> None:
    client, server = talk.originator, talk.responder
    client.sends(PUSH | ACK, request, after_us=THINKING_US)
    server.sends(ACK, after_us=ACKNOWLEDGED_US)
    server.sends(PUSH | ACK, response, after_us=serving_us - ACKNOWLEDGED_US)
    client.sends(ACK, after_us=path_us)


def _ends(talk: Conversation, path_us: int) -> None:
    client, server = talk.originator, talk.responder
    client.sends(FIN | ACK, after_us=THINKING_US)
    server.sends(ACK, after_us=ACKNOWLEDGED_US)
    server.sends(FIN | ACK)
    client.sends(ACK, after_us=path_us)
