"""Layouts for the decoding kernels."""

from __future__ import annotations

import pytest

from tcpsnoop.owners.tracing.events import DESTROYED, SENT, STATE
from tcpsnoop.owners.tracing.formats import DESTROY, SEND, TracingUnavailableError
from tcpsnoop.owners.tracing.layout import COOKIE, END, KIND, LENGTH, OLD, SOCKET, TYPE, layout_of
from tests.owners.tracing.records import TRACEPOINTS


def test_each_tracepoint_has_a_row_of_offsets() -> None:
    rows = {int(row[TYPE]): row for row in layout_of(TRACEPOINTS)}
    sent = rows[TRACEPOINTS[SEND].number]
    assert (sent[KIND], sent[SOCKET], sent[LENGTH], sent[OLD]) == (SENT, 8, 20, -1)
    assert sent[END] == 28
    destroyed = rows[TRACEPOINTS[DESTROY].number]
    assert (destroyed[KIND], destroyed[COOKIE], destroyed[END]) == (DESTROYED, 64, 72)
    assert rows[2287][KIND] == STATE


def test_a_field_of_another_size_is_refused() -> None:
    found = dict(TRACEPOINTS)
    narrow = dict(found[SEND].fields) | {"sk": (8, 4)}
    found[SEND] = type(found[SEND])(found[SEND].number, narrow)
    with pytest.raises(TracingUnavailableError, match="field sk of sock:sock_send_length has 4"):
        layout_of(found)
