"""Send calls, and the ends of connections that they are of."""

from __future__ import annotations

import numpy as np
import pytest

from tests.owners.tracing.story import (
    ESTABLISHED,
    FIN_WAIT1,
    HERE,
    NOON,
    THERE,
    Story,
    packet,
    syn,
)

CLIENT, SERVER, OTHER = 100, 200, 300
CALLING, NEXT = 0x1000, 0x3000
TO = (HERE, THERE)


@pytest.fixture
def story() -> Story:
    """A client, a server and another process."""
    made = Story()
    made.process(CLIENT, "curl")
    made.process(SERVER, "nginx")
    made.process(OTHER, "other")
    return made


def test_send_calls_come_with_the_end_of_their_connection(story: Story) -> None:
    story.connect(10, CLIENT, CALLING, TO)
    story.send(40, CLIENT, CALLING, length=100)
    story.send(50, CLIENT, CALLING, length=-11)
    story.send(55, SERVER, CALLING, length=7)
    story.send(60, OTHER, NEXT, length=5)
    assert story.pid(syn(12)) == CLIENT
    assert len(story.traced.take_writes(NOON)[0]) == 0
    assert len(story.traced.take_writes(NOON + 100_000)[0]) == 2
    story.send(70, CLIENT, CALLING, length=100)
    story.send(75, SERVER, CALLING, length=7)
    story.happen()
    rows, codes = story.traced.take_writes(NOON + 100_000)
    assert rows["bytes"].tolist() == [100, 7]
    assert rows["time_ns"].tolist() == [NOON + 70_000, NOON + 75_000]
    assert rows[["connection", "end", "lport", "rport"]].tolist() == [(1, 0, 40000, 80)] * 2
    owners = [story.pool.owners[code].process for code in codes.tolist()]
    assert [owner and owner.pid for owner in owners] == [CLIENT, SERVER]
    assert story.traced.unseen_writes == 0
    assert len(story.traced.take_writes(NOON + 100_000, last=True)[0]) == 0
    assert story.traced.unseen_writes == 1


def test_an_end_has_calls_or_writes_by_packets_never_both(story: Story) -> None:
    later = (HERE[0], 40001), THERE
    story.connect(10, CLIENT, CALLING, TO)
    story.send(40, CLIENT, CALLING, length=100)
    story.send(41, OTHER, NEXT, length=10)  # it was there before
    early = np.concatenate([syn(12), packet(42, 2, ends=later, payload=10)])
    story.owners([early])
    assert story.traced.follows(early).tolist() == [True, False]
    story.state(50, OTHER, NEXT, (ESTABLISHED, FIN_WAIT1), later)
    assert story.owners([packet(51, 2, ends=later)])[0] is not None
    rows, _ = story.traced.take_writes(NOON + 100_000, last=True)
    assert rows["bytes"].tolist() == [100]
    assert story.traced.unseen_writes == 0
