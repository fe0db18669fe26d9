"""Segments become connections, connections fire probes: the TCP knowledge (SEMANTICS 4 to 9).

Read `tracker.py` first: it has the loop over segments. What it calls, in that order: `table` (which
connection), `sides` (which end is local), `copies` (a frame captured twice), `handshake` (opening
and closing), `stream` (sequence space: what is new, what is repeated) with `writes`, and `firing`
(rows of probes).
"""
