"""Comparing a capture: each difference goes to the rule that explains it, or is left over."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tcpsnoop.batches.segments import SYN
from tcpsnoop.errors import TcpsnoopError
from tests.agreement.facts import Facts, facts_of
from tests.agreement.observed import End, Observed, Segment, observe
from tests.agreement.peers import Traced, Tshark, of_corpus, run_tcptrace, run_tshark
from tests.agreement.rules import (
    ANEW,
    COUNT_RULES,
    IDLE,
    LENGTHS,
    MARK_RULES,
    Counts,
    numbers_of,
)
from tests.corpus_tables import manifest

Connection = list[tuple[Segment, Facts]]

_CAPTURE = re.compile(r"\.(pcap|pcapng|snoop)(\.gz)?$")


@dataclass
class Outcome:
    """What comparing came to: how much was alike, what was explained, and what was not."""

    captures: set[str] = field(default_factory=set)  # with segments that were compared
    segments: int = 0
    directions: int = 0  # of connections, compared with tshark
    traced: int = 0  # compared with tcptrace
    explained: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    with_data: set[tuple[str, int]] = field(default_factory=set)
    marks: Counter[str] = field(default_factory=Counter)  # alike
    wrong: list[str] = field(default_factory=list)

    @property
    def data_explained(self) -> int:
        """How many of `with_data` are among them."""
        return len(self.segments_explained & self.with_data)

    @property
    def segments_explained(self) -> set[tuple[str, int]]:
        """By whatever rule."""
        return set().union(*self.explained.values())

    def explain(self, rule: str, name: str, packets: set[int]) -> None:
        """These segments are what the rule is about."""
        self.explained[rule] |= {(name, packet) for packet in packets}


def compare_corpus(corpus: Path) -> Outcome:
    """All captures of the corpus."""
    outcome = Outcome()
    for name, _ in manifest(corpus, "dev"):
        _compare(corpus / "dev" / name, of_corpus(corpus, name), outcome)
    return outcome


def compare_captures(folder: Path) -> Outcome:
    """This project's captures, with the tshark and the tcptrace of this machine."""
    outcome = Outcome()
    paths = [path for path in sorted(folder.iterdir()) if _CAPTURE.search(path.name)]
    with ThreadPoolExecutor(2) as pool:
        for path, tshark in zip(paths, pool.map(run_tshark, paths), strict=True):
            _compare(path, tshark, outcome)
    return outcome


def _compare(path: Path, tshark: Tshark, to: Outcome) -> None:
    try:
        observed = observe(path)
    except TcpsnoopError:
        return  # what is said of such files has tests of its own
    connections = connections_of(observed)
    compare_totals(path.name, observed, to)
    compare_marks(path.name, connections, tshark, to)
    compare_streams(path.name, connections, tshark, to)
    compare_counts(path.name, connections, run_tcptrace(path), to)


def connections_of(observed: Observed) -> list[Connection]:
    """Its connections, each with its segments and their facts."""
    by_number: dict[int, list[Segment]] = defaultdict(list)
    for packet in sorted(observed.segments):
        segment = observed.segments[packet]
        by_number[segment.connection].append(segment)
    connections, keys = [], set()
    for number in sorted(by_number):
        first = by_number[number][0]
        key = frozenset((first.source, first.destination))
        anew = key in keys and first.flags & SYN != 0
        connections.append(list(facts_of(by_number[number], anew)))
        keys.add(key)
    return connections


def our_marks(segment: Segment, is_shut: bool) -> set[str]:
    """The segment in tshark's words; `is_shut`: its sender's window is 0 by then."""
    words = {
        "retransmit": "retransmission",
        "out-of-order": "out_of_order",
        "duplicate-ack": "duplicate_ack",
        "keep-alive": "keep_alive",
        "window-probe": "zero_window_probe",
    }
    marks = {word for probe, word in words.items() if probe in segment.fired}
    if segment.kind in ("fast", "spurious"):
        marks.add(f"{segment.kind}_retransmission")
    return marks | {"zero_window"} if is_shut else marks


def compare_marks(name: str, connections: list[Connection], tshark: Tshark, to: Outcome) -> None:
    """Every segment's marks, packet by packet."""
    for connection in connections:
        shut: set[End] = set()
        for segment, facts in connection:
            if "window-closed" in segment.fired:
                shut.add(segment.source)
            if "window-opened" in segment.fired:
                shut.discard(segment.source)
            theirs = tshark.segments.get(segment.packet)
            if theirs is None:
                continue
            to.captures.add(name)
            to.segments += 1
            if segment.payload > 0:
                to.with_data.add((name, segment.packet))
            ours = our_marks(segment, segment.source in shut)
            to.marks.update(ours & theirs.marks)
            differing = ours ^ theirs.marks
            if not differing:
                continue
            for rule in MARK_RULES:
                if differing <= rule.marks and rule.applies(segment, facts):
                    to.explain(f"tshark: {rule.name}", name, {segment.packet})
                    break
            else:
                to.wrong.append(
                    f"{name} packet {segment.packet}: {sorted(ours)} {segment.kind}, "
                    f"tshark {sorted(theirs.marks)}, {facts}"
                )


def compare_totals(name: str, observed: Observed, to: Outcome) -> None:
    """What `closed` says are the sums of what `send` and `receive` said until then."""
    sums: dict[tuple[int, End], list[int]] = defaultdict(lambda: [0, 0, 0])
    for segment in observed.segments.values():
        if not segment.duplicate and not segment.ended:
            sent = sums[segment.connection, segment.source]
            sent[0] += 1
            sent[1] += max(segment.payload, 0)
            sent[2] += segment.overlap
    for (connection, end), total in observed.totals.items():
        expected = sums[connection, end]
        found = [total.segments, total.payload, total.retransmitted]
        if found != expected:
            to.wrong.append(f"{name} connection {connection} from {end}: {found}, sums {expected}")


def compare_streams(name: str, connections: list[Connection], tshark: Tshark, to: Outcome) -> None:
    """Segments and payload bytes of each direction; which segments are one connection."""
    streams: dict[int, list[Connection]] = defaultdict(list)
    for connection in connections:
        numbers = {
            tshark.segments[segment.packet].stream
            for segment, _ in connection
            if segment.packet in tshark.segments
        }
        if len(numbers) > 1:
            to.wrong.append(f"{name}: one connection is tshark's streams {sorted(numbers)}")
        for number in numbers:
            streams[number].append(connection)
    for number, parts in sorted(streams.items()):
        for part in parts[1:]:
            first, facts = part[0]
            if ANEW.applies(first, facts):
                to.explain(f"tshark: {ANEW.name}", name, {first.packet})
            else:
                to.wrong.append(f"{name} packet {first.packet}: another connection, not in tshark")
        segments = [segment for part in parts for segment, _ in part]
        _compare_sums(name, number, segments, tshark, to)


def _compare_sums(
    name: str, number: int, segments: list[Segment], tshark: Tshark, to: Outcome
) -> None:
    packets = {packet for packet, each in tshark.segments.items() if each.stream == number}
    if packets != {segment.packet for segment in segments}:
        return  # not all of it is dissected, or not by tshark
    for end in {segment.source for segment in segments}:
        sent = [segment for segment in segments if segment.source == end]
        # tshark says no length of a first fragment.
        said = [each for each in sent if tshark.segments[each.packet].payload is not None]
        ours = len(sent), sum(segment.payload for segment in said)
        if (number, end) in tshark.streams:
            stream = tshark.streams[number, end]
            theirs = stream.segments, stream.payload
        else:
            lengths = [tshark.segments[segment.packet].payload for segment in sent]
            theirs = len(lengths), sum(length or 0 for length in lengths)
        to.directions += 1
        if ours != theirs:
            to.wrong.append(f"{name} stream {number} from {end}: {ours}, tshark {theirs}")


def compare_counts(
    name: str,
    connections: list[Connection],
    traced: dict[frozenset[End], list[dict[End, Traced]]],
    to: Outcome,
) -> None:
    """Unique and retransmitted bytes and segments out of order, as far as tcptrace read alike."""
    for connection in connections:
        ends = frozenset((connection[0][0].source, connection[0][0].destination))
        if not traced.get(ends):
            continue
        theirs = traced[ends].pop(0)
        for end in ends:
            sent = [(segment, facts) for segment, facts in connection if segment.source == end]
            _compare_direction(name, end, sent, theirs[end], to)


def _compare_direction(name: str, end: End, sent: Connection, theirs: Traced, to: Outcome) -> None:
    idle = {segment.packet for segment, facts in sent if IDLE.applies(segment, facts)}
    if idle:
        to.explain(f"tcptrace: {IDLE.name}", name, idle)
        return
    if len(sent) != theirs.segments:
        return  # it did not read the same packets
    to.traced += 1
    longer = {segment.packet for segment, facts in sent if LENGTHS.applies(segment, facts)}
    if longer:
        to.explain(f"tcptrace: {LENGTHS.name}", name, longer)
        return
    counts = Counts(
        sum(_unique(segment) for segment, _ in sent),
        sum(_sent_again(segment, facts) for segment, facts in sent),
        sum("out-of-order" in segment.fired for segment, _ in sent),
    )
    touched: list[tuple[str, int]] = []
    for segment, facts in sent:
        for rule in COUNT_RULES:
            more = rule.differs(segment, facts)
            if more != Counts():
                counts += more
                touched.append((rule.name, segment.packet))
    payload = sum(segment.payload for segment, _ in sent)
    expected = Counts(theirs.unique, theirs.retransmitted, theirs.out_of_order)
    if counts != expected or payload != theirs.payload:
        to.wrong.append(f"{name} from {end}: {counts} {payload}, tcptrace {theirs} by {touched}")
        return
    for rule_name, packet in touched:
        to.explain(f"tcptrace: {rule_name}", name, {packet})


def _sent_again(segment: Segment, facts: Facts) -> int:
    """Sequence numbers sent again, as tcptrace counts: bytes, keep-alives, SYN and FIN."""
    if segment.duplicate:
        return 0
    numbers = numbers_of(segment) if facts.repeats else 0
    probe = segment.payload if "keep-alive" in segment.fired else 0
    return segment.overlap + probe + numbers


def _unique(segment: Segment) -> int:
    if segment.duplicate or segment.fired & {"keep-alive", "window-probe"}:
        return 0
    return segment.payload - segment.overlap
