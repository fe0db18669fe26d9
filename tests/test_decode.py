"""Decoding single packets by scapy: every layer, nothing raised, nothing a terminal acts on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captures.make.frames import PUSH, SYN, Endpoint, ip, ipv4, tcp
from captures.make.link_headers import (
    COOKED_V1,
    COOKED_V2,
    LOOP,
    NULL,
    RAW,
    RAW_IPV4,
    RAW_IPV6,
    USER0,
    cooked_v1,
    cooked_v2,
    ethernet,
    loop,
    null,
)
from tcpsnoop.decode import decode

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 4443)
ENDS_6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 4443)
FOUR = ip(*ENDS, tcp(*ENDS, flags=SYN, sequence=7, options=bytes.fromhex("020405b4")))
SIX = ip(*ENDS_6, tcp(*ENDS_6, flags=SYN, sequence=7))
ETHERNET, RAW_BSD, RAW_OPENBSD = 1, 12, 14
LINK_TYPES = (NULL, ETHERNET, RAW_BSD, RAW_OPENBSD, RAW, LOOP, COOKED_V1, RAW_IPV4, COOKED_V2)
ROOT = Path(__file__).resolve().parent.parent


def fields(text: str) -> list[tuple[str, str]]:
    """Name and value of each line that is a field."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return [(name.strip(), value.strip()) for name, value in pairs]


def test_every_layer_and_field() -> None:
    text = decode(ETHERNET, ethernet(FOUR, tags=[(0x8100, 7)]))
    found = fields(text)
    for field in [
        ("vlan", "7"),
        ("version", "4"),
        ("src", "192.0.2.1"),
        ("dst", "198.51.100.2"),
        ("sport", "40000"),
        ("dport", "4443"),
        ("seq", "7"),
        ("flags", "S"),
        ("options", "[('MSS', 1460)]"),
    ]:
        assert field in found
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (NULL, null(FOUR)),
        (LOOP, loop(FOUR)),
        (COOKED_V1, cooked_v1(FOUR, packet_type=0)),
        (COOKED_V2, cooked_v2(FOUR, packet_type=0)),
        (RAW, FOUR),
        (RAW_BSD, FOUR),
        (RAW_OPENBSD, FOUR),
        (RAW_IPV4, FOUR),
        (RAW_IPV6, SIX),
        (RAW, SIX),
    ],
)
def test_link_types(link_type: int, frame: bytes) -> None:
    found = fields(decode(link_type, frame))
    assert ("sport", "40000") in found
    assert ("flags", "S") in found


def test_what_a_terminal_acts_on_is_escaped() -> None:
    payload = b"\x1b]0;title\x07\x9b2J\r\x00" + "\u202e".encode()
    text = decode(ETHERNET, ethernet(ipv4(*ENDS, tcp(*ENDS, flags=PUSH, payload=payload))))
    assert "title" in text
    assert "\\x1b" in text
    assert all(character == "\n" or character.isprintable() for character in text)


def test_what_scapy_does_not_know_is_dumped() -> None:
    text = decode(USER0, bytes(range(0x30, 0x42)) + b"\x1b")
    assert text == (
        "not decoded: scapy does not know link type 147\n"
        "0000  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?\n"
        "0010  40 41 1b                                         @A.\n"
    )


def test_nothing_captured() -> None:
    assert decode(ETHERNET, b"") == "not decoded: no bytes were captured\n"


@settings(max_examples=200)
@given(st.sampled_from(LINK_TYPES), st.binary(max_size=200), st.data())
def test_never_raises(link_type: int, noise: bytes, data: st.DataObject) -> None:
    """Noise alone, and behind a sound beginning."""
    sound = ethernet(FOUR) if link_type == ETHERNET else FOUR
    frame = sound[: data.draw(st.integers(0, len(sound)))] + noise
    text = decode(link_type, frame)
    assert all(character == "\n" or character.isprintable() for character in text)
    assert text.endswith("\n")


PROGRAM = """
import ipaddress, random, socket, sys
families = set()
def watch(event, arguments):
    if event == "socket.__new__":
        families.add(int(arguments[1]))
    elif event == "socket.getaddrinfo":
        ipaddress.ip_address(arguments[0])  # a number needs no server
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr", "socket.connect"):
        raise AssertionError(event)
sys.addaudithook(watch)
from tcpsnoop.decode import decode
assert not [name for name in sys.modules if name.split(".")[0] == "scapy"]
sound = bytes.fromhex(sys.argv[1])
assert "sport" in decode(101, sound)
assert "scapy" in sys.modules
chance = random.Random(1)
for _ in range(300):
    place = chance.randrange(len(sound))
    decode(101, sound[:place] + chance.randbytes(1) + sound[place + 1 :] + chance.randbytes(60))
assert families <= {int(socket.AF_NETLINK)}, families
"""


def test_scapy_is_imported_late_quietly_and_without_network() -> None:
    """Python's warnings are errors; scapy asks the kernel by netlink and nobody else."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, FOUR.hex()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
