"""Send calls of known sizes, from several processes: wdist counts exactly those made."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.live.networks import host
from tests.live.programs import running, tcpsnoop

pytestmark = [pytest.mark.live, pytest.mark.program("ip")]

# What each process writes; the mix has every power of two and its neighbours.
MIX = [size for power in range(12) for size in (2**power, 2**power + 1)]
WRITERS = ([100] * 1000, [65536] * 100, MIX)

PROGRAM = """
import json, os, socket, sys
sizes = json.loads(sys.argv[1])
server = socket.create_server(("127.0.0.1", 0))
writing = socket.create_connection(server.getsockname())
reading = server.accept()[0]
child = os.fork()
if child == 0:
    writing.close()
    while reading.recv(1 << 20):
        pass
    os._exit(0)
reading.close()
for size in sizes:
    assert writing.send(bytes(size)) == size
writing.close()
os.waitpid(child, 0)
print(os.getpid(), flush=True)
"""


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[int, dict[str, object]]]:
    """Rows of wdist by the index of the writer; the key -1 has the number of all rows."""
    with ExitStack() as stack:
        place = stack.enter_context(host())
        words = tcpsnoop("wdist", "-i", "lo", "-n", "--format", "jsonl", "-B", "65536")
        program = stack.enter_context(running(*place.words(*words)))
        program.tracing()
        writers = [
            stack.enter_context(
                running(*place.words("python3", "-S", "-c", PROGRAM, json.dumps(sizes)))
            )
            for sizes in WRITERS
        ]
        pids = [int(writer.output.wait(timeout=30).text) for writer in writers]
        program.end(signal.SIGINT)
        found = {row["pid"]: row for row in program.rows()}
        yield {number: found[pid] for number, pid in enumerate(pids)} | {-1: {"rows": len(found)}}


@pytest.mark.parametrize("writer", range(len(WRITERS)))
def test_counts_sums_and_buckets_are_those_made(
    rows: dict[int, dict[str, object]], writer: int
) -> None:
    sizes = WRITERS[writer]
    row = rows[writer]
    assert (row["method"], row["attribution"]) == ("exact", "exact")
    assert (row["count"], row["sum"]) == (len(sizes), sum(sizes))
    assert (row["min"], row["max"]) == (min(sizes), max(sizes))
    buckets = Counter(1 << (size.bit_length() - 1) for size in sizes)
    assert row["buckets"] == [[bound, count] for bound, count in sorted(buckets.items())]


def test_nobody_else_has_written(rows: dict[int, dict[str, object]]) -> None:
    assert rows[-1]["rows"] == len(WRITERS)
