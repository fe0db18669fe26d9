"""Who was begun by whom, as /proc shows it."""

from __future__ import annotations

import os
import subprocess
import sys

from tcpsnoop.batches.owners import Process
from tcpsnoop.owners.lineage import descends


def test_a_child_of_a_child_descends_and_what_is_gone_does_not() -> None:
    program = """
import os, sys
if os.fork():
    os.wait()
else:
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        grandchild = Process(int(child.stdout.readline()), 1, "python3")
        assert descends("/proc", grandchild, os.getpid())
        assert descends("/proc", grandchild, child.pid)
        assert not descends("/proc", grandchild, grandchild.pid)
        assert not descends("/proc", Process(os.getpid(), 1, "me"), os.getpid())
        child.communicate("")
    assert not descends("/proc", grandchild, os.getpid())


def test_a_name_with_parentheses_is_no_trap(tmp_path: object) -> None:
    root = str(tmp_path)
    os.makedirs(f"{root}/9")
    with open(f"{root}/9/stat", "w") as file:
        file.write("9 (a) S 77 (b)) S 5 9 9 0\n")
    assert descends(root, Process(9, 1, "a"), 5)
    assert not descends(root, Process(9, 1, "a"), 77)
