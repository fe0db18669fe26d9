"""On a quiet link a line of `io` appears within 0.3 s of its packet, live and from a pipe.

From a pipe the first half second is left out: until then rules 3 and 4 of the local side wait for
what may come (SEMANTICS 4). tcpdump without --immediate-mode would keep packets for up to a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest

from tests.live.networks import Host, veth_pair
from tests.live.programs import Program, at_once, piped, running, tcpsnoop
from tests.live.scenes import converse

pytestmark = [pytest.mark.live, pytest.mark.program("ip", "tcpdump")]

WITHIN_SECONDS = 0.3
CONNECTIONS, PAUSE = 4, 0.25
# Handshake, request, answer, two FIN and their ACK; those of the first may have been waited for.
LEAST_SEGMENTS = 8 * (CONNECTIONS - 1)

# A reader of a pipe does not say that it is there; connections are made until all have seen one.
MOST_ATTEMPTS = 100

FORM = ("-n", "--format", "jsonl")


def tcpdump(host: Host, device: str) -> list[str]:
    words = ("tcpdump", "-i", device, "--immediate-mode", "-U", "-Z", "root", "-w", "-", "tcp")
    return host.words(*at_once(words))


@pytest.fixture(scope="module")
def programs() -> Iterator[dict[str, Program]]:
    """Each of them has seen a connection, and then some more, with pauses."""
    with ExitStack() as stack:
        here, there = stack.enter_context(veth_pair())
        local = ("--local", here.addresses[4])
        reading = at_once(tcpsnoop("io", *FORM, "-r", "-"))
        live = {
            device: stack.enter_context(
                running(*here.words(*at_once(tcpsnoop("io", *FORM, "-i", device))))
            )
            for device in ("eth0", "lo", "any")
        }
        pipes = {
            "pipe": (tcpdump(here, "eth0"), reading),
            "pipe, --local": (tcpdump(here, "eth0"), [*reading, *local]),
            "pipe, lo": (tcpdump(here, "lo"), reading),
        }
        seen = live | {name: stack.enter_context(piped(*words)) for name, words in pipes.items()}
        for program in live.values():
            program.tracing()
        outer, inner = (there.addresses[4], here.addresses[4]), ("127.0.0.1", "127.0.0.1")
        for _ in range(MOST_ATTEMPTS):
            converse(there, here, outer, count=1)
            converse(here, here, inner, count=1)
            if all(program.output.all for program in seen.values()):
                break
        before = {name: len(program.output.all) for name, program in seen.items()}
        for client, ends in ((there, outer), (here, inner)):
            converse(client, here, ends, count=CONNECTIONS, pause=PAUSE)
        for name, program in seen.items():
            program.output.wait(count=before[name] + LEAST_SEGMENTS)
        yield seen


@pytest.mark.parametrize("name", ["eth0", "lo", "any", "pipe", "pipe, --local", "pipe, lo"])
def test_lines_come_soon(programs: dict[str, Program], name: str) -> None:
    arrivals = [line.at for line in programs[name].output.all]
    packets = [datetime.fromisoformat(row["time"]).timestamp() for row in programs[name].rows()]
    first = packets[0]
    delays = [
        arrival - packet
        for arrival, packet in zip(arrivals, packets, strict=True)
        if packet > first + 0.5
    ]
    assert len(delays) >= LEAST_SEGMENTS
    assert max(delays) <= WITHIN_SECONDS
