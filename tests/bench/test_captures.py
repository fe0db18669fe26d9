"""The captures of the benchmarks are what they claim, and valid to other programs."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bench import captures, make_captures
from bench.captures import Captures
from bench.frames import write_pcap
from bench.traffic import ACK, CHAT, DOWNLOAD, FIN, SYN, Packets, conversations, held_open

CONCURRENT = 50
PLANS = {
    "small": conversations(6000, CONCURRENT, CHAT, mean_packets=40),
    "full": conversations(6000, CONCURRENT, DOWNLOAD, mean_packets=180),
    "handshakes from outside": held_open(700, 3),
    "handshakes to outside": held_open(700, 3, inbound=False),
    "flood": held_open(2000, 1),
    "long connections": held_open(20, 200),
}


@pytest.fixture(params=[(name, cut) for name in PLANS for cut in (False, True)], ids=str)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Packets, Path]:
    name, cut = request.param
    path = tmp_path / "capture.pcap"
    write_pcap(path, PLANS[name], 96 if cut else 262_144)
    return PLANS[name], path


def lines_of(*words: str | Path) -> list[str]:
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_every_record_has_its_length(written: tuple[Packets, Path]) -> None:
    packets, path = written
    data, offset, originals = path.read_bytes(), 24, []
    while offset < len(data):
        _, _, captured, original = struct.unpack_from("<IIII", data, offset)
        assert captured in (original, 96)
        originals.append(original)
        offset += 16 + captured
    assert offset == len(data)
    # Ethernet 14, IPv4 20, TCP 20 bytes; 20 bytes of options on a SYN, else 12.
    options = np.where(packets.flags & SYN, 20, 12)
    assert originals == (14 + 20 + 20 + options + packets.payload_bytes).tolist()


@pytest.mark.program("tcpdump")
def test_tcpdump_reads_every_packet_and_finds_the_checksums_right(
    written: tuple[Packets, Path],
) -> None:
    packets, path = written
    done = subprocess.run(
        ["tcpdump", "-nn", "-v", "-r", path], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("Flags [") == len(packets)
    for complaint in ("incorrect", "bad cksum", "bad-", "invalid", "[|tcp]"):
        assert complaint not in done.stdout
    assert "truncated dump file" not in done.stderr


@pytest.mark.program("tshark")
def test_tshark_finds_nothing_lost_repeated_or_malformed(written: tuple[Packets, Path]) -> None:
    packets, path = written
    reading = ("tshark", "-n", "-r", path, "-o", "tcp.check_checksum:TRUE")
    odd = "tcp.analysis.flags || _ws.malformed || tcp.checksum.status == 0 || !tcp"
    assert lines_of(*reading, "-Y", odd) == []
    streams = lines_of(*reading, "-T", "fields", "-e", "tcp.stream")
    assert len(streams) == len(packets)
    assert len(set(streams)) == len(tuples(packets))


def tuples(packets: Packets) -> set[frozenset[tuple[int, int]]]:
    """The connections, as pairs of (address, port)."""
    one = zip(packets.source.tolist(), packets.source_port.tolist(), strict=True)
    other = zip(packets.destination.tolist(), packets.destination_port.tolist(), strict=True)
    return {frozenset(pair) for pair in zip(one, other, strict=True)}


@pytest.mark.parametrize("name", ["small", "full"])
def test_conversations_keep_about_so_many_connections_open(name: str) -> None:
    packets = PLANS[name]
    opened = np.cumsum((packets.flags & (SYN | ACK)) == SYN)
    # Both sides send a FIN.
    closed = np.cumsum((packets.flags & FIN) != 0) / 2
    later = slice(len(packets) // 2, None)
    assert 0.8 * CONCURRENT < np.mean(opened[later] - closed[later]) <= CONCURRENT
    assert opened[-1] == len(tuples(packets))


def test_frames_have_the_sizes_their_kind_promises() -> None:
    small = PLANS["small"]
    assert small.payload_bytes.max() == 34
    assert np.mean(PLANS["full"].payload_bytes == 1448) > 0.8


@pytest.mark.parametrize("inbound", [True, False])
def test_connections_held_open_have_as_many_remote_addresses(inbound: bool) -> None:
    packets = held_open(500, 3, inbound=inbound)
    requests = packets.part(np.flatnonzero(packets.flags == SYN))
    remote = requests.source if inbound else requests.destination
    assert len(set(remote.tolist())) == len(requests) == 500
    assert not np.any(packets.flags & FIN)


def test_more_packets_of_the_same_connections_are_the_same_connections() -> None:
    assert tuples(held_open(20, 5)) == tuples(held_open(20, 50))


def test_a_plan_is_made_alike_every_time() -> None:
    again = conversations(6000, CONCURRENT, CHAT, mean_packets=40)
    assert np.array_equal(again.sequence, PLANS["small"].sequence)
    assert np.array_equal(again.time_ns, PLANS["small"].time_ns)


def test_times_never_go_back() -> None:
    for packets in PLANS.values():
        assert np.all(np.diff(packets.time_ns) >= 0)


def test_the_shorter_file_is_the_beginning_of_the_longer(tmp_path: Path) -> None:
    for name in ("small-4000-1000", "small-4000-4000"):
        make_captures.make(tmp_path, name)
    shorter = (tmp_path / "small-4000-1000.pcap").read_bytes()
    longer = (tmp_path / "small-4000-4000.pcap").read_bytes()
    assert longer.startswith(shorter)
    assert len(longer) > 3 * len(shorter)


def test_a_capture_is_made_once(tmp_path: Path) -> None:
    (path,) = Captures(tmp_path, scale=0.001).conversations("small", 5_000_000, [1_000_000])
    assert path.name == "small-5000-1000.pcap"
    made = path.stat().st_mtime_ns
    assert Captures(tmp_path, scale=0.001).conversations("small", 5_000_000, [1_000_000]) == [path]
    assert path.stat().st_mtime_ns == made


def test_captures_of_an_older_generator_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = Captures(tmp_path, scale=0.001).conversations("small", 5_000_000, [1_000_000])
    monkeypatch.setattr(captures, "_generator_digest", lambda: "another")
    (new,) = Captures(tmp_path, scale=0.001).conversations("small", 5_000_000, [1_000_000])
    assert new.exists()
    assert not old.exists()
