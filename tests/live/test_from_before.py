"""Connections from before the capture that end with the first packets that it shows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.live.stages import Stage

pytestmark = [
    pytest.mark.live,
    pytest.mark.program("ip"),
    pytest.mark.parametrize("options", [(), ("--no-tracing",)], ids=["tracing", "procfs"]),
]


def test_a_connection_from_before_whose_processes_end_with_its_first_packets(
    stage: Stage, options: Sequence[str]
) -> None:
    """Nobody has it open any more when it is looked for."""
    told = stage.play("", options=options, before="""
server = listening()
child = os.fork()
if child == 0:
    c = socket.create_connection(server.getsockname())
    print("ready", flush=True)
    c.recv(1); os._exit(0)
a, peer = server.accept(); other = os.fork()
if other == 0:
    server.close(); sys.stdin.readline(); a.sendall(b"x"); os._exit(0)
a.close(); port = server.getsockname()[1]; wait_all()
told(port=peer[1], server=port, other=other, child=child)
""")  # fmt: skip
    named = {told["port"]: told["child"], told["server"]: told["other"]}
    assert len(stage.rows) > 3
    known = {row["lport"] for row in stage.rows if row["pid"] is not None}
    assert all(row["pid"] in (named[row["lport"]], None) for row in stage.rows)
    assert known == set(named), stage.rows


def test_a_connection_from_before_that_is_reset_while_nobody_uses_it(
    stage: Stage, options: Sequence[str]
) -> None:
    """Neither end can be found any more; who was reset has it open, and does not know."""
    told = stage.play("", options=options, before="""
server = listening(); over, lasts = os.pipe()
child = os.fork()
if child == 0:
    os.close(lasts)
    c = socket.create_connection(server.getsockname())
    print("ready", flush=True)
    os.read(over, 1); time.sleep(0.5); os._exit(0)  # half a second after the other
a, peer = server.accept(); other = os.fork()
if other: os.close(lasts)
if other == 0:
    sys.stdin.readline()
    a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); os._exit(0)
a.close(); port = server.getsockname()[1]; wait_all()
told(port=peer[1], server=port, other=other, child=child)
""")  # fmt: skip
    assert [row["flags"] for row in stage.rows] == ["RST|ACK"]
    assert stage.pids(told["server"]) == {told["other"]}
    assert stage.rows[0]["attribution"] in ("closed", "exact")
