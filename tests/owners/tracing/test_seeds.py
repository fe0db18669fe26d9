"""Threads that are there already, from /proc."""

from __future__ import annotations

import os
import struct
import threading

from tcpsnoop.owners.tracing.events import KERNEL_THREAD, SEEDED
from tcpsnoop.owners.tracing.seeds import name_words, seeds


def test_every_thread_of_this_process_is_there() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        rows = seeds("/proc", 12345)
    finally:
        stop.set()
        thread.join()
    mine = rows[rows["pid"] == os.getpid()]
    assert {os.getpid(), thread.native_id} <= set(mine["tid"].tolist())
    assert (mine["kind"] == SEEDED).all()
    assert (mine["time_ns"] == 12345).all()
    assert (mine["socket"] == os.stat("/proc/self/ns/net").st_ino).all()
    with open("/proc/self/stat") as file:
        assert (mine["cookie"] == int(file.read().rpartition(")")[2].split()[19])).all()
    with open("/proc/self/comm", "rb") as file:
        name = file.read().rstrip(b"\n").ljust(16, b"\0")
    assert struct.pack(">qq", *mine[["laddr_high", "laddr_low"]][0].tolist()) == name
    assert not (mine["flags"] & KERNEL_THREAD).any()


def test_names_are_cut_to_what_the_kernel_keeps() -> None:
    assert name_words("") == (0, 0)
    assert name_words("A" * 40) == (0x4141414141414141,) * 2
