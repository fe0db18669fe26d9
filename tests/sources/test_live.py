"""Live capture on a pair of virtual interfaces: frames go in at one, are captured at the other."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.sources.live import LiveSource
from tests.fixture_types import WaitUntil
from tests.sources.reading import Packet, read_once
from tests.sources.virtual_link import ETHERTYPE, FILTER, Link, frame, ip

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

# In which a packet on a quiet link must be seen.
PROMPT = 0.3


def captured(source: LiveSource, count: int, seconds: float = 5) -> list[Packet]:
    """Packets until there are so many."""
    end = time.monotonic() + seconds
    packets: list[Packet] = []
    while len(packets) < count and time.monotonic() < end and not source.ended:
        packets += read_once(source, 0.1)
    return packets


def test_every_frame_with_its_bytes_and_time(link: Link) -> None:
    source = LiveSource(link.captured, filter_text=FILTER)
    before = time.clock_gettime_ns(time.CLOCK_REALTIME)
    frames = [frame(60 + number, number) for number in range(1009)]
    for one in frames:
        link.send(one)
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
    assert (interface.name, interface.loopback) == (link.captured, False)
    source.close()


def test_lengths_of_cut_frames_are_unknown(link: Link) -> None:
    source = LiveSource(link.captured, snaplen=96, filter_text=FILTER)
    for size in (60, 95, 96, 97, 1500):
        link.send(frame(size))
    packets = captured(source, 5)
    assert [len(packet.data) for packet in packets] == [60, 95, 96, 96, 96]
    assert [packet.original for packet in packets] == [60, 95, -1, -1, -1]
    assert source.interfaces[0].snaplen == 96
    source.close()


def test_the_kernel_filters(link: Link) -> None:
    source = LiveSource(link.captured, filter_text=f"{FILTER} and ether[14:4] = 3")
    for number in range(5):
        link.send(frame(60, number))
    assert [packet.data for packet in captured(source, 1)] == [frame(60, 3)]
    assert source.read(0.2) is None
    source.close()


def test_a_packet_on_a_quiet_link_is_seen_promptly(link: Link) -> None:
    source = LiveSource(link.captured, filter_text=FILTER)
    assert source.read(0.05) is None
    for _ in range(5):
        link.send(frame(60))
        started = time.monotonic()
        assert len(captured(source, 1)) == 1
        assert time.monotonic() - started < PROMPT
    source.close()


def test_read_returns_in_time_and_wakes_for_a_packet(link: Link) -> None:
    source = LiveSource(link.captured, filter_text=FILTER)
    for timeout in (0.0, 0.1):
        started = time.monotonic()
        assert source.read(timeout) is None
        assert timeout <= time.monotonic() - started < timeout + 0.2
    timer = threading.Timer(0.1, link.send, (frame(60),))
    timer.start()
    started = time.monotonic()
    assert len(read_once(source, 10)) == 1
    assert time.monotonic() - started < 0.1 + PROMPT
    timer.join()
    source.close()


def test_what_the_kernel_drops_is_counted(link: Link, wait_until: WaitUntil) -> None:
    source = LiveSource(link.captured, buffer_kib=256, filter_text=FILTER)
    count = 5000
    for _ in range(count):
        link.send(frame(1000))
    wait_until(lambda: source.drops().by_kernel > 0)
    packets = captured(source, count, seconds=1)
    assert 0 < len(packets) < count
    assert len(packets) + source.drops().by_kernel == count
    source.close()
    assert source.drops().by_kernel == count - len(packets)


def test_an_interface_that_disappears_is_damage(link: Link) -> None:
    source = LiveSource(link.captured, filter_text=FILTER)
    for number in range(23):
        link.send(frame(60, number))
    ip("link", "delete", link.sent)
    packets = captured(source, 24)
    assert [packet.data for packet in packets] == [frame(60, number) for number in range(23)]
    assert source.ended
    assert source.damage == f"interface {link.captured} disappeared while capturing"
    assert source.read(0.1) is None
    source.close()


def test_an_interface_that_goes_down_may_come_up_again(link: Link, wait_until: WaitUntil) -> None:
    source = LiveSource(link.captured, filter_text=FILTER)
    link.send(frame(60, 1))
    assert len(captured(source, 1)) == 1
    ip("link", "set", link.captured, "down")
    assert source.read(0.1) is None
    ip("link", "set", link.captured, "up")
    wait_until(link.carries)
    link.send(frame(60, 2))
    assert [packet.data for packet in captured(source, 1)] == [frame(60, 2)]
    assert not source.ended
    assert source.anomalies == [f"{link.captured} went down while capturing: 1 times"]
    source.close()


def test_batches_of_large_packets_are_bounded(link: Link) -> None:
    source = LiveSource(link.captured, filter_text=FILTER)
    ip("link", "set", link.sent, "mtu", "65535")
    ip("link", "set", link.captured, "mtu", "65535")
    rounds = []
    for _ in range(3):
        for _ in range(150):
            link.send(frame(60_000))
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


def test_any_is_cooked(link: Link) -> None:
    source = LiveSource("any", filter_text=f"ether[14:2] = {ETHERTYPE:#x}")
    assert source.interfaces[0].link_type == 113  # LINKTYPE_LINUX_SLL
    assert not source.interfaces[0].loopback
    link.send(frame(60, 5))
    packets = captured(source, 2)  # as it is sent on one interface, as it comes in on the other
    assert [packet.data[14:16] for packet in packets] == [ETHERTYPE.to_bytes(2, "big")] * 2
    assert [packet.data[16:] for packet in packets] == [frame(60, 5)[14:]] * 2
    source.close()


def test_closing_ends_it() -> None:
    source = LiveSource("lo")
    source.close()
    source.close()
    assert source.ended
    assert source.read(0) is None
    assert source.drops() == Drops(0, 0)


def test_a_wrong_filter_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the filter is wrong: .*syntax error"):
        LiveSource("lo", filter_text="tcp prt 80")
