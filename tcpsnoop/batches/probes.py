"""Probes: what fired, where, seen from which end. The one table of probes and their fields.

It is the truth: `list probes -v` and the pages are made from it. It changes only by adding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Numbers of the probes in PROBE_ROW["probe"]; kernels freeze them.
SEND = 0
RECEIVE = 1
CONNECT_REQUEST = 2
CONNECT_ESTABLISHED = 3
CONNECT_REFUSED = 4
ACCEPT_ESTABLISHED = 5
ACCEPT_REFUSED = 6
WRITE = 7
CLOSED = 8
DUPLICATE_FRAME = 9
ACCEPT_OVERFLOW = 10
CONNECT_TIMEOUT = 11
UNREACHABLE = 12
STATE_CHANGE = 13
RETRANSMIT = 14
OUT_OF_ORDER = 15
DUPLICATE_ACK = 16
KEEP_ALIVE = 17
WINDOW_PROBE = 18
WINDOW_CLOSED = 19
WINDOW_OPENED = 20
RTT_SAMPLE = 21
FIRST_BYTE = 22
RESET = 23
REPEAT = 24
# From here on by the kernel's record of calls, not by packets.
APPLICATION_WRITE = 32

# Which end of a connection a row is seen from.
ORIGINATOR = 0
RESPONDER = 1

# Why a connection ended (SEMANTICS 11), in CLOSED_ROW["end_reason"].
_BY_RST = ("rst_originator", "rst_responder")
END_REASONS = ("fin", *_BY_RST, "idle", "end_of_input", "evicted", "reused")

# How a connection went, as Zeek's conn_state (SEMANTICS 11), in CLOSED_ROW["conn_state"].
CONN_STATES = (
    "S0",  # a SYN without an answer
    "S1",  # established, not ended
    "SF",  # established and ended by FIN both ways
    "REJ",  # a SYN answered by a RST
    "S2",  # established, the originator sent its FIN, the responder did not
    "S3",  # established, the responder sent its FIN, the originator did not
    "RSTO",  # established, the originator reset it
    "RSTR",  # established, the responder reset it
    "RSTOS0",  # a SYN, then a RST by its sender, no SYN|ACK seen
    "RSTRH",  # a SYN|ACK, then a RST by its sender, no SYN seen
    "SH",  # a SYN, then a FIN by its sender, no SYN|ACK seen
    "SHR",  # a SYN|ACK, then a FIN by its sender, no SYN seen
    "OTH",  # neither: the capture began in the middle
)

# States of a connection's end (RFC 9293 section 3.3.2), in DETAIL["old"] and DETAIL["new"].
STATES = (
    "CLOSED",
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSE-WAIT",
    "CLOSING",
    "LAST-ACK",
    "TIME-WAIT",
)

# What a retransmission was (SEMANTICS 7), in DETAIL["kind"] of `retransmit`.
RETRANSMISSIONS = ("fast", "timeout", "spurious", "unseen", "handshake")

# How a round-trip time was measured (SEMANTICS 8), in DETAIL["kind"] of `rtt-sample`; the three
# parts of the method `handshake` come first.
RTT_METHODS = ("syn", "synack", "irtt", "ack", "timestamp")


@dataclass(frozen=True)
class Field:
    """A column of a probe's rows: its name, the type for people, and what it holds."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Probe:
    """A probe: when it fires, and the fields it has beside the common ones."""

    name: str
    number: int
    fires: str
    fields: tuple[Field, ...] = ()


COMMON_FIELDS = (
    Field("packet", "integer", "number of the packet it fired at, from 1"),
    Field("time_ns", "integer", "time of that packet, nanoseconds since the epoch, UTC"),
    Field("connection", "integer", "number of the connection, unique in a run"),
    Field("end", "originator, responder", "the end it is seen from, which stands at the left"),
    Field("laddr", "address", "address of that end"),
    Field("lport", "integer", "port of that end"),
    Field("raddr", "address", "address of the other end"),
    Field("rport", "integer", "port of the other end"),
    Field("direction", "-> or <-", "-> the segment was sent by the end at the left, <- received"),
    Field("bytes", "integer", "payload bytes of the segment; of a write, its size"),
    Field("frame_bytes", "integer", "length of its frame on the wire; -1 unknown"),
    Field("flags", "flags", "TCP flags of the segment"),
    Field("duplicate", "boolean", "the frame is a copy of one seen before"),
    Field("pid", "integer", "process that owns that end, when it is known"),
    Field("command", "text", "the kernel's short name of that process"),
    Field("uid", "integer", "user of that process"),
    Field("attribution", "text", "how the process is known, or unknown"),
)

_CLOSED_FIELDS = (
    Field("start_ns", "integer", "time of the connection's first segment"),
    Field("end_reason", "text", f"one of {', '.join(END_REASONS)}"),
    Field("midstream", "boolean", "the capture began after the handshake"),
    Field("tx_segments", "integer", "segments sent by the end at the left"),
    Field("rx_segments", "integer", "segments it received"),
    Field("tx_payload", "integer", "payload bytes it sent, retransmissions counted again"),
    Field("rx_payload", "integer", "payload bytes it received, likewise"),
    Field("tx_retransmitted", "integer", "payload bytes it sent that were already seen"),
    Field("rx_retransmitted", "integer", "payload bytes it received that were already seen"),
    Field("tx_probe", "integer", "bytes it sent as keep-alive or zero-window probe"),
    Field("rx_probe", "integer", "bytes it received as such"),
    Field("last_ns", "integer", "time of its last segment"),
    Field("conn_state", "text", f"one of {', '.join(CONN_STATES)}, as in Zeek"),
    Field("ttl", "integer", "TTL of the segment that ended it; 0 none did"),
)

_ELAPSED_SYN = Field("elapsed_ns", "integer", "time since the connection's first SYN; -1 unknown")
_RETRIES = Field("count", "integer", "times the SYN had been sent again")
_RETRANSMISSION = Field("kind", "text", f"one of {', '.join(RETRANSMISSIONS)}")
_OVERLAP = Field("overlap", "integer", "its bytes that were seen before")
_SEQUENCE = Field("sequence", "integer", "its sequence number, as sent")
_STATE = Field("new", "text", f"state of the end that sent it, one of {', '.join(STATES)}")
_TTL = Field("ttl", "integer", "TTL or hop limit of the segment")

PROBES: dict[str, Probe] = {
    probe.name: probe
    for probe in (
        Probe("send", SEND, "every segment sent by a local end"),
        Probe("receive", RECEIVE, "every segment received by a local end"),
        Probe("connect-request", CONNECT_REQUEST, "the first SYN of a connection"),
        Probe(
            "connect-established",
            CONNECT_ESTABLISHED,
            "the SYN|ACK that answers it, or a simultaneous open completed",
            (_ELAPSED_SYN, _RETRIES, _TTL),
        ),
        Probe(
            "connect-refused",
            CONNECT_REFUSED,
            "a RST that answers a SYN before any SYN|ACK",
            (_ELAPSED_SYN, _RETRIES, _TTL),
        ),
        Probe(
            "accept-established",
            ACCEPT_ESTABLISHED,
            "the originator's first segment with ACK and no SYN or RST that acknowledges the "
            "SYN|ACK; once a connection",
            (_ELAPSED_SYN, _RETRIES, _TTL),
        ),
        Probe(
            "accept-refused",
            ACCEPT_REFUSED,
            "a RST that answers a SYN before any SYN|ACK",
            (_ELAPSED_SYN, _RETRIES, _TTL),
        ),
        Probe("write", WRITE, "an application write as the wire shows it: new bytes up to PUSH"),
        Probe(
            "closed",
            CLOSED,
            "the end of a connection: FIN both ways, RST, end of input, evicted or reused",
            _CLOSED_FIELDS,
        ),
        Probe("duplicate-frame", DUPLICATE_FRAME, "a frame that was captured twice"),
        Probe(
            "accept-overflow",
            ACCEPT_OVERFLOW,
            "a SYN|ACK sent again after the originator's ACK: the accept queue was full",
            (Field("count", "integer", "which repetition it is, from 1"),),
        ),
        Probe(
            "connect-timeout",
            CONNECT_TIMEOUT,
            "127 s after the last unanswered SYN, or the end of the input if it is older than 3 s",
            (_ELAPSED_SYN, _RETRIES),
        ),
        Probe(
            "unreachable",
            UNREACHABLE,
            "an ICMP error that quotes a segment of a known connection",
            (
                Field("sender", "address", "who sent the ICMP error"),
                Field("kind", "integer", "ICMP type"),
                Field("code", "integer", "ICMP code"),
                Field("new", "integer", "4 or 6: the version of ICMP"),
                _ELAPSED_SYN,
                _RETRIES,
            ),
        ),
        Probe(
            "state-change",
            STATE_CHANGE,
            "each change of the state of an end, as far as the wire shows it",
            (
                Field("old", "text", f"one of {', '.join(STATES)}"),
                Field("new", "text", "likewise"),
                Field("elapsed_ns", "integer", "time spent in the old one; -1 unknown"),
            ),
        ),
        Probe(
            "retransmit",
            RETRANSMIT,
            "a segment with bytes, a SYN or a FIN sent before; of kind `unseen`, one that fills a "
            "hole late",
            (_RETRANSMISSION, _SEQUENCE, _OVERLAP, _STATE),
        ),
        Probe(
            "repeat",
            REPEAT,
            "a segment of `retransmit`, at each end that has `send` or `receive` of it",
            (_RETRANSMISSION, _OVERLAP),
        ),
        Probe("out-of-order", OUT_OF_ORDER, "a segment that fills a young hole", (_SEQUENCE,)),
        Probe(
            "duplicate-ack",
            DUPLICATE_ACK,
            "an ACK without data that repeats the one before it, its window too",
            (Field("count", "integer", "which repetition it is, from 1"),),
        ),
        Probe("keep-alive", KEEP_ALIVE, "no or one byte before the next one, all acknowledged"),
        Probe("window-probe", WINDOW_PROBE, "one byte into a window of 0"),
        Probe("window-closed", WINDOW_CLOSED, "the first window of 0 that an end advertises"),
        Probe(
            "window-opened",
            WINDOW_OPENED,
            "the first other window after it",
            (Field("elapsed_ns", "integer", "how long it was 0"),),
        ),
        Probe(
            "rtt-sample",
            RTT_SAMPLE,
            "a round-trip time, seen from the end that sent what was answered",
            (
                Field("kind", "text", f"one of {', '.join(RTT_METHODS)}"),
                Field("elapsed_ns", "integer", "from the segment to its answer, at the capture"),
            ),
        ),
        Probe(
            "first-byte",
            FIRST_BYTE,
            "the first byte of a response, seen from each local end, under rule 5 from both",
            (
                Field("elapsed_ns", "integer", "since the last new byte of the request"),
                Field("latency_ns", "integer", "the same less SYN to SYN|ACK; -1 unknown"),
                Field("kind", "integer", "1: the server spoke first, measured from the handshake"),
            ),
        ),
        Probe(
            "reset",
            RESET,
            "a RST on an open connection",
            (_TTL, Field("old", "integer", "TTL of its sender's segment before; 0 none"), _STATE),
        ),
        Probe(
            "application-write",
            APPLICATION_WRITE,
            "a send call of a process, by the kernel's record: live only; no packet is named",
        ),
    )
}

# A fired probe. `detail` is the index of what it adds, a row of CLOSED_ROW for `closed` and of
# DETAIL for the others; -1 when it adds nothing.
PROBE_ROW = np.dtype(
    [
        ("packet", "i8"),
        ("time_ns", "i8"),
        ("clock_ns", "i8"),  # capture time
        ("connection", "i8"),
        ("laddr_high", "i8"),
        ("laddr_low", "i8"),
        ("raddr_high", "i8"),
        ("raddr_low", "i8"),
        ("bytes", "i8"),  # -1 unknown
        ("frame_bytes", "i4"),  # -1 unknown
        ("interface", "i4"),
        ("frame", "i4"),  # index of the packet in its PacketBatch, -1 none
        ("detail", "i4"),
        ("lport", "u2"),
        ("rport", "u2"),
        ("flags", "u2"),
        ("probe", "u1"),
        ("end", "u1"),
        ("outgoing", "u1"),  # 1: sent by the end at the left
        ("duplicate", "u1"),
        ("remote_local", "u1"),  # 1: the end at the right is local too, or sees this as if it were
        ("digits", "u1"),
    ],
    align=True,
)

# What `closed` adds; times in nanoseconds, the rest counts of segments and bytes.
CLOSED_ROW = np.dtype(
    [
        ("start_ns", "i8"),
        ("tx_payload", "i8"),
        ("rx_payload", "i8"),
        ("tx_retransmitted", "i8"),
        ("rx_retransmitted", "i8"),
        ("tx_probe", "i8"),
        ("rx_probe", "i8"),
        ("tx_segments", "i8"),
        ("rx_segments", "i8"),
        ("last_ns", "i8"),
        ("end_reason", "u1"),
        ("midstream", "u1"),
        ("conn_state", "u1"),
        ("ttl", "u1"),
    ],
    align=True,
)

# What the others add: the columns that their `fields` name; the rest is 0.
DETAIL = np.dtype(
    [
        ("elapsed_ns", "i8"),
        ("latency_ns", "i8"),
        ("sender_high", "i8"),
        ("sender_low", "i8"),
        ("sequence", "u4"),
        ("overlap", "i4"),
        ("count", "i4"),
        ("kind", "u1"),
        ("code", "u1"),
        ("old", "u1"),
        ("new", "u1"),
        ("ttl", "u1"),
    ],
    align=True,
)
