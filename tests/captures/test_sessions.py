"""Single captures against SEMANTICS: the finger session, the ten accepts, writes, loss, copies."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

import pytest

from captures.make.catalogue import HOME
from tests.oracle import Segment, observe
from tests.oracle_files import read

Truth = dict[str, Any]
End = tuple[str, int]

TRUTH: dict[str, Truth] = json.loads((HOME / "MANIFEST.json").read_text(encoding="utf-8"))
FLAGS = ("FIN", "SYN", "RST", "PUSH", "ACK")
FIN, SYN, PUSH, MODULUS = 1, 2, 8, 2**32
VOID = 7  # the place of the void write in writes.pcap, whose letter is h

# SEMANTICS 13, `io` of the finger session, below its header.
FINGER = """\
   192.168.1.185:79     <-    192.168.1.109:56145      0 (SYN)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (SYN|ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      2 (PUSH|ACK)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     ->    192.168.1.109:56145    126 (PUSH|ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (FIN|ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (ACK)
   192.168.1.185:79     <-    192.168.1.109:56145      0 (FIN|ACK)
   192.168.1.185:79     ->    192.168.1.109:56145      0 (ACK)
"""

# SEMANTICS 13, `accept`.
ACCEPTS = """\
   HOSTNAME                   PORT        COUNT
   marlin6                    finger          1
   bass                       login           2
   marlin                     ssh             2
   marlin                     telnet          2
   marlin                     finger          3
"""
SERVICES = {22: "ssh", 23: "telnet", 79: "finger", 513: "login"}


def content(name: str) -> bytes:
    return (HOME / name).read_bytes()


def segments(name: str) -> list[Segment]:
    found = observe(content(name))
    return [each.segment for each in found if each.segment is not None]


def finger_row(segment: Segment) -> str:
    """A row with the server, which listens at port 79, at the left."""
    source = segment.source, segment.source_port
    destination = segment.destination, segment.destination_port
    to_server = destination[1] == 79
    arrow = "<-" if to_server else "->"
    (laddr, lport), (raddr, rport) = (destination, source) if to_server else (source, destination)
    flags = "|".join(name for bit, name in enumerate(FLAGS) if segment.flags >> bit & 1)
    ends = f"{laddr:>16}:{lport:<6} {arrow} {raddr:>16}:{rport:<5}"
    return f"{ends} {segment.payload:6d} ({flags})\n"


def test_finger_is_the_session_of_the_specification() -> None:
    assert "".join(map(finger_row, segments("finger.pcap"))) == FINGER


def test_accepts_are_the_table_of_the_specification() -> None:
    names = {}
    for line in (HOME / "accepts.hosts").read_text(encoding="utf-8").splitlines():
        address, *known = line.partition("#")[0].split() or [""]
        names[address] = known
    ordered = sorted(
        TRUTH["accepts.pcap"]["accepts"],
        key=lambda row: (row["count"], row["raddr"], row["lport"]),
    )
    lines = [f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"]
    lines += [
        f"   {names[row['raddr']][0]:<26} {SERVICES[row['lport']]:<8} {row['count']:8d}\n"
        for row in ordered
    ]
    assert "".join(lines) == ACCEPTS


def test_accepts_are_ten_whole_connections_with_data() -> None:
    flags, data = defaultdict(list), Counter[frozenset[End]]()
    for each in segments("accepts.pcap"):
        source, destination = end(each), (each.destination, each.destination_port)
        key = frozenset((source, destination))
        flags[key].append(each.flags)
        data[key] += each.payload or 0
    assert len(flags) == 10
    assert all(data.values())
    for seen in flags.values():
        assert seen[:3] == [0x02, 0x12, 0x10]
        assert sum(each & 1 for each in seen) == 2


def end(segment: Segment) -> End:
    return segment.source, segment.source_port


def positions(found: list[Segment]) -> dict[End, list[range]]:
    """Of each sender, the bytes of each segment, counted from its first sequence number."""
    first = {end(each): each.sequence for each in found if each.flags & SYN}
    placed = defaultdict(list)
    for each in found:
        start = (each.sequence - first[end(each)] + bool(each.flags & SYN)) % MODULUS
        placed[end(each)].append(range(start, start + (each.payload or 0)))
    return placed


@pytest.mark.parametrize("name", [name for name in TRUTH if "unique_bytes" in TRUTH[name]])
def test_unique_bytes_are_the_distinct_positions(name: str) -> None:
    truth, placed = TRUTH[name], positions(segments(name))
    distinct = sum(len(set().union(*spans)) for spans in placed.values())
    assert distinct == truth["unique_bytes"]
    parts = ("unique_bytes", "retransmitted_bytes", "probe_bytes", "duplicate_bytes")
    assert sum(truth[part] for part in parts) == truth["payload_bytes"]


@pytest.mark.parametrize("name", [name for name in TRUTH if "duplicate_frames" in TRUTH[name]])
def test_every_packet_has_one_copy_within_a_millisecond(name: str) -> None:
    """The copies differ below IP and in the TTL, and in nothing else."""
    header = {1: 14, 113: 16}
    times: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
    for packet in read(content(name)).packets:
        ip = bytearray(packet.data[header[packet.link_type] :])
        version_4 = ip[0] >> 4 == 4
        ip[8 if version_4 else 7] = 0  # TTL, hop limit
        if version_4:
            ip[10:12] = b"\0\0"  # its checksum
        times[bytes(ip[:40]), bytes(ip[40:])].append(packet.time_ns)
    # IPv6 has no identification: of its keep-alives' answers, two pairs may be alike.
    pairs = [pair for seen in times.values() for pair in zip(seen[::2], seen[1::2], strict=True)]
    assert len(pairs) == TRUTH[name]["duplicate_frames"]
    assert all(0 < late - early < 50_000 for early, late in pairs)


def test_finger_writes_are_its_payloads() -> None:
    sizes = [each.payload for each in segments("finger.pcap") if each.payload]
    assert [row["bytes"] for row in TRUTH["finger.pcap"]["writes"]] == sizes


def letters() -> dict[tuple[str, End], set[int]]:
    """The positions of each letter in writes.pcap: each write has a letter of its own."""
    written: dict[tuple[str, End], set[int]] = defaultdict(set)
    found = segments("writes.pcap")
    spans = {sender: iter(each) for sender, each in positions(found).items()}
    for packet, each in zip(read(content("writes.pcap")).packets, found, strict=True):
        span = next(spans[end(each)])
        payload = packet.data[len(packet.data) - len(span) :]
        for position, letter in zip(span, payload, strict=True):
            written[chr(letter), end(each)].add(position)
    return written


def test_writes_are_the_runs_of_one_letter() -> None:
    """So PUSH is not needed to tell writes apart; the letters are in the order of the table."""
    written = sorted(letters().items())
    whole = [(key, seen) for key, seen in written if max(seen) - min(seen) < len(seen)]
    assert [(sender, len(seen)) for (_, sender), seen in whole] == [
        ((row["laddr"], row["lport"]), row["bytes"]) for row in TRUTH["writes.pcap"]["writes"]
    ]
    assert len(written) - len(whole) == TRUTH["writes.pcap"]["void_writes"]


def test_what_ends_each_write_is_in_the_capture() -> None:
    """PUSH or FIN on the segment of its last byte; else the next with data or FIN tells."""
    found = segments("writes.pcap")
    spans = {sender: iter(each) for sender, each in positions(found).items()}
    placed = [(each, next(spans[end(each)])) for each in found]
    endings = []
    for (_, sender), seen in sorted(letters().items()):
        last = max(seen)
        at = next(
            i for i, (each, span) in enumerate(placed) if end(each) == sender and last in span
        )
        if placed[at][0].flags & (FIN | PUSH):
            endings.append("push" if placed[at][0].flags & PUSH else "fin")
            continue
        after = next(each for each, span in placed[at + 1 :] if span or each.flags & FIN)
        endings.append("fin" if end(after) == sender else "data")
    del endings[VOID]
    assert endings == [row["ended_by"] for row in TRUTH["writes.pcap"]["writes"]]
