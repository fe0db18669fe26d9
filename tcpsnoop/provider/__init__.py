"""Segments become connections, connections fire probes: the TCP knowledge (SEMANTICS 4 to 9).

Read `tracking.py` first: it has the loop over segments; `tracker.py` holds what it works on. It
calls, in that order: `table` (which connection), `sides` (which end is local), `copies` (a frame
captured twice), `handshake` (opening and closing), `stream` (sequence space: what is new, what is
repeated; writes) with `intervals`, and `firing` (rows of probes).
"""
