"""Live capture on a pair of virtual interfaces: frames go in at one, are captured at the other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.sources.live import LARGEST_BUFFER_KIB, LiveSource
from tests.fixture_types import WaitUntil
from tests.sources.reading import Packet, read_once

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

# An EtherType for experiments (IEEE 802): nothing else on the link has it.
OURS = 0x88B5
FILTER = f"ether proto {OURS:#x}"
SENT, CAPTURED = f"ts{os.getpid()}a", f"ts{os.getpid()}b"

# In which a packet on a quiet link must be seen.
PROMPT = 0.3


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    """A socket that sends frames into the pair."""
    ip("link", "add", SENT, "type", "veth", "peer", "name", CAPTURED)
    try:
        for name in (SENT, CAPTURED):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            ip("link", "set", name, "up")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((SENT, 0))
            yield raw
    finally:
        subprocess.run(["ip", "link", "delete", SENT], check=False, capture_output=True)


def frame(size: int, number: int = 0) -> bytes:
    payload = number.to_bytes(4, "big") + bytes(size - 18)
    return bytes(12) + OURS.to_bytes(2, "big") + payload


def captured(source: LiveSource, count: int, seconds: float = 5) -> list[Packet]:
    """Packets until there are so many."""
    end = time.monotonic() + seconds
    packets: list[Packet] = []
    while len(packets) < count and time.monotonic() < end and not source.ended:
        packets += read_once(source, 0.1)
    return packets


def test_every_frame_with_its_bytes_and_time(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=FILTER)
    before = time.clock_gettime_ns(time.CLOCK_REALTIME)
    frames = [frame(60 + number, number) for number in range(1009)]
    for one in frames:
        sender.send(one)
    packets = captured(source, len(frames))
    after = time.clock_gettime_ns(time.CLOCK_REALTIME)
    assert [packet.data for packet in packets] == frames
    assert [packet.number for packet in packets] == list(range(1, 1010))
    assert all(packet.original == len(packet.data) for packet in packets)
    times = [packet.time_ns for packet in packets]
    assert before - 1000 <= times[0] <= times[-1] <= after  # a microsecond is rounded down
    assert all(time_ns % 1000 == 0 for time_ns in times)
    assert (source.live, source.waits, source.ended, source.damage) == (True, True, False, None)
    assert source.drops() == Drops(by_kernel=0, by_interface=0)
    (interface,) = source.interfaces
    assert (interface.link_type, interface.digits) == (1, 6)
    assert (interface.name, interface.loopback) == (CAPTURED, False)
    source.close()


def test_lengths_of_cut_frames_are_unknown(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, snaplen=96, filter_text=FILTER)
    for size in (60, 95, 96, 97, 1500):
        sender.send(frame(size))
    packets = captured(source, 5)
    assert [len(packet.data) for packet in packets] == [60, 95, 96, 96, 96]
    assert [packet.original for packet in packets] == [60, 95, -1, -1, -1]
    assert source.interfaces[0].snaplen == 96
    source.close()


def test_the_kernel_filters(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=f"{FILTER} and ether[14:4] = 3")
    for number in range(5):
        sender.send(frame(60, number))
    assert [packet.data for packet in captured(source, 1)] == [frame(60, 3)]
    assert source.read(0.2) is None
    source.close()


def test_a_packet_on_a_quiet_link_is_seen_promptly(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=FILTER)
    assert source.read(0.05) is None
    for _ in range(5):
        sender.send(frame(60))
        started = time.monotonic()
        assert len(captured(source, 1)) == 1
        assert time.monotonic() - started < PROMPT
    source.close()


def test_read_returns_in_time_and_wakes_for_a_packet(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=FILTER)
    for timeout in (0.0, 0.1):
        started = time.monotonic()
        assert source.read(timeout) is None
        assert timeout <= time.monotonic() - started < timeout + 0.2
    timer = threading.Timer(0.1, sender.send, (frame(60),))
    timer.start()
    started = time.monotonic()
    assert len(read_once(source, 10)) == 1
    assert time.monotonic() - started < 0.1 + PROMPT
    timer.join()
    source.close()


def test_what_the_kernel_drops_is_counted(sender: socket.socket, wait_until: WaitUntil) -> None:
    source = LiveSource(CAPTURED, buffer_kib=256, filter_text=FILTER)
    count = 5000
    for _ in range(count):
        sender.send(frame(1000))
    wait_until(lambda: source.drops().by_kernel > 0)
    packets = captured(source, count, seconds=1)
    assert 0 < len(packets) < count
    assert len(packets) + source.drops().by_kernel == count
    source.close()
    assert source.drops().by_kernel == count - len(packets)


def test_an_interface_that_disappears_is_damage(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=FILTER)
    for number in range(23):
        sender.send(frame(60, number))
    ip("link", "delete", SENT)
    packets = captured(source, 24)
    assert [packet.data for packet in packets] == [frame(60, number) for number in range(23)]
    assert source.ended
    assert source.damage == f"interface {CAPTURED} disappeared while capturing"
    assert source.read(0.1) is None
    source.close()


def test_an_interface_that_goes_down_may_come_up_again(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=FILTER)
    sender.send(frame(60, 1))
    assert len(captured(source, 1)) == 1
    ip("link", "set", CAPTURED, "down")
    assert source.read(0.1) is None
    ip("link", "set", CAPTURED, "up")
    sender.send(frame(60, 2))
    assert [packet.data for packet in captured(source, 1)] == [frame(60, 2)]
    assert not source.ended
    assert source.anomalies == [f"{CAPTURED} went down while capturing: 1 times"]
    source.close()


def test_batches_of_large_packets_are_bounded(sender: socket.socket) -> None:
    source = LiveSource(CAPTURED, filter_text=FILTER)
    ip("link", "set", SENT, "mtu", "65535")
    ip("link", "set", CAPTURED, "mtu", "65535")
    rounds = []
    for _ in range(3):
        for _ in range(150):
            sender.send(frame(60_000))
        sizes: list[int] = []
        while sum(sizes) < 150:
            sizes.append(len(read_once(source, 1)))
            assert sizes[-1] > 0
        rounds.append(sizes)
    # 8 MiB hold 139 frames of 60,000 bytes; of the first batch no size is known before.
    assert max(rounds[1] + rounds[2]) <= 139
    source.close()


def test_loopback_is_known_by_the_kernel() -> None:
    source = LiveSource("lo", filter_text="udp port 9")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"discard me", ("::1", 9))
    (packet,) = captured(source, 1)
    assert packet.data.endswith(b"discard me")
    assert source.interfaces[0].loopback
    source.close()


def test_any_is_cooked(sender: socket.socket) -> None:
    source = LiveSource("any", filter_text=f"ether[14:2] = {OURS:#x}")
    assert source.interfaces[0].link_type == 113  # LINKTYPE_LINUX_SLL
    assert not source.interfaces[0].loopback
    sender.send(frame(60, 5))
    packets = captured(source, 2)  # as it is sent on one interface, as it comes in on the other
    assert [packet.data[14:16] for packet in packets] == [OURS.to_bytes(2, "big")] * 2
    assert [packet.data[16:] for packet in packets] == [frame(60, 5)[14:]] * 2
    source.close()


def test_closing_ends_it() -> None:
    source = LiveSource("lo")
    source.close()
    source.close()
    assert source.ended
    assert source.read(0) is None
    assert source.drops() == Drops(0, 0)


def test_what_cannot_be_captured_on_is_refused(sender: socket.socket) -> None:
    with pytest.raises(UsageError, match="there is no interface none: `tcpsnoop list interfaces`"):
        LiveSource("none")
    with pytest.raises(UsageError, match=r"the filter is wrong: .*syntax error"):
        LiveSource("lo", filter_text="tcp prt 80")
    with pytest.raises(UsageError, match=r"cannot capture on 'a.*b': embedded null character"):
        LiveSource("a\0b")
    ip("link", "set", CAPTURED, "down")
    with pytest.raises(UsageError, match=f"interface {CAPTURED} is down: bring it up with `ip"):
        LiveSource(CAPTURED)


@pytest.mark.parametrize("size", [0, LARGEST_BUFFER_KIB + 1])
def test_impossible_buffers_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"a buffer must have 1 to {LARGEST_BUFFER_KIB} KiB"):
        LiveSource("lo", buffer_kib=size)


def test_without_permission_the_user_is_told_what_to_do() -> None:
    program = (
        "import os\n"
        "from tcpsnoop.errors import UsageError\n"
        "from tcpsnoop.sources.live import LiveSource\n"
        "os.setuid(65534)\n"
        "try:\n"
        "    LiveSource('lo')\n"
        "except UsageError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout.startswith("no permission to capture on lo: run as root, or with")
