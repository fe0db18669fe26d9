"""`io`: the finger session as the specification prints it, one row a segment, processes."""

from __future__ import annotations

from typing import Any

from tcpsnoop.batches.owners import HOLDER, SHARED, UNKNOWN, Owner, Process
from tcpsnoop.batches.segments import ACK, FIN, PUSH, SYN
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.io import Io
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import START_NS, batch_of, row
from tests.reporters.rendering import dictionaries

FINGER = """\
           LADDR:PORT                 RADDR:PORT   BYTES FLAGS
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

SERVER, CLIENT = "192.168.1.185 79", "192.168.1.109 56145"
NGINX = Process(41, 7, "nginx", "nginx: worker process", uid=33)
WORKER = Process(42, 8, "nginx", "nginx: worker process", uid=33)


def text(batch: Any) -> str:
    renderer = Text(RenderOptions())
    begin = renderer.begin(Io().schema)
    return (begin + b"".join(renderer.rows(Io().rows(batch)))).decode()


def test_the_finger_session_of_the_specification() -> None:
    received = {"outgoing": 0}
    segments = [
        ("receive", SYN, 0),
        ("send", SYN | ACK, 0),
        ("receive", ACK, 0),
        ("receive", PUSH | ACK, 2),
        ("send", ACK, 0),
        ("send", PUSH | ACK, 126),
        ("receive", ACK, 0),
        ("send", FIN | ACK, 0),
        ("receive", ACK, 0),
        ("receive", FIN | ACK, 0),
        ("send", ACK, 0),
    ]
    rows = [
        row(probe, SERVER, CLIENT, flags=flags, bytes=size)
        | (received if probe == "receive" else {})
        for probe, flags, size in segments
    ]
    assert text(batch_of(rows)) == FINGER


def test_the_program_prints_the_finger_session(run_tcpsnoop: RunTcpsnoop, capture: Capture) -> None:
    done = run_tcpsnoop("io", "-n", "-r", capture("finger.pcap"))
    assert (done.returncode, done.stdout) == (0, FINGER)


def test_a_segment_between_two_local_ends_is_one_row_with_its_sender_at_the_left() -> None:
    both = [
        row("send", "127.0.0.1 80", "127.0.0.1 5000", packet=1, remote_local=1),
        row("receive", "127.0.0.1 5000", "127.0.0.1 80", packet=1, remote_local=1),
        row("receive", "10.0.0.1 5001", "10.0.0.2 80", packet=2),
    ]
    table = Io().rows(batch_of(both))
    found = [(each["packet"], each["lport"], each["direction"]) for each in dictionaries(table)]
    assert found == [(1, 80, "->"), (2, 5001, "<-")]
    assert table.origin is not None
    assert table.origin.tolist() == [0, 2]


def test_endpoints_of_ipv6_stand_in_brackets_and_wide_values_widen() -> None:
    long = "2001:db8:1111:2222:3333:4444:5555:6666"
    batch = batch_of([row("send", f"{long} 79", "2001:db8::1 56145", flags=ACK, bytes=12345678)])
    line = text(batch).splitlines()[1]
    assert line == f"[{long}]:79     ->    [2001:db8::1]:56145 12345678 (ACK)"


def test_unknown_bytes_are_a_dash_and_no_flags_are_null() -> None:
    line = text(batch_of([row("send", "10.0.0.1 1", "10.0.0.2 2", bytes=-1)])).splitlines()[1]
    assert line == f"{'10.0.0.1':>16}:{'1':<6} -> {'10.0.0.2':>16}:{'2':<5} {'-':>6} (null)"


def test_fields_of_the_machine_formats() -> None:
    fields = {"packet": 7, "time_ns": START_NS + 1_500, "bytes": 3, "flags": PUSH | ACK}
    table = Io().rows(batch_of([row("send", "10.0.0.1 80", "10.0.0.2 5000", **fields)]))
    assert b"".join(Jsonl(RenderOptions()).rows(table)) == (
        b'{"packet":7,"time":"2006-05-13T08:00:00.000001Z","laddr":"10.0.0.1","lport":80,'
        b'"direction":"->","raddr":"10.0.0.2","rport":5000,"bytes":3,"flags":"PUSH|ACK",'
        b'"pid":null,"command":null,"attribution":"unknown","reason":"not recorded",'
        b'"holders":null}\n'
    )


def test_processes_and_how_they_are_known() -> None:
    owners = [
        Owner(HOLDER, NGINX),
        Owner(SHARED, holders=(WORKER, NGINX)),
        Owner(UNKNOWN, reason="no permission"),
    ]
    rows = [row("send", f"10.0.0.1 {port}", "10.0.0.2 5000") for port in range(3)]
    names = ("pid", "command", "attribution", "reason", "holders")
    found = [
        tuple(each[name] for name in names)
        for each in dictionaries(Io().rows(batch_of(rows, owners)))
    ]
    assert found == [
        (41, "nginx", "holder", None, None),
        (None, None, "shared", None, [[41, "nginx"], [42, "nginx"]]),
        (None, None, "unknown", "no permission", None),
    ]


def test_decoding_is_for_verbose_alone() -> None:
    assert not Io().needs_frames
    assert Io(verbose=True).needs_frames
