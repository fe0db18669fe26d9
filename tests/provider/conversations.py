"""Random captures of a few conversations, for hypothesis: mostly sensible, with what goes wrong.

Each step is a word of an end, with a few small numbers that say how. Ports are used again, numbers
wrap, segments are lost before the capture, repeated, overtaken, captured twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tcpsnoop.batches.segments import ACK, FIN, PUSH, SYN
from tests.provider.talk import (
    CLIENT,
    CLIENT_6,
    MODULUS,
    SERVER,
    SERVER_6,
    START_NS,
    End,
    Endpoint,
    Sent,
    Talk,
    Wire,
)

Numbers = tuple[int, int, int]

PAIRS = (
    (CLIENT, SERVER),
    (CLIENT_6, SERVER_6),
    (Endpoint("192.0.2.10", 50_000), Endpoint("192.0.2.77", 50_001)),
    (Endpoint("127.0.0.1", 40_000), Endpoint("127.0.0.2", 8080)),
    (SERVER, Endpoint("203.0.113.9", 3306)),
)
NUMBERS = (0, 1, 1_000, 2**31 - 60, 2**31, MODULUS - 250, MODULUS - 1)
PAUSES_US = (1, 20, 50, 51, 400, 999, 1_000, 1_001, 19_000, 30_000, 3_100_000, 60_000_000)


@dataclass
class Speaker:
    """An end and what it said, to say it again."""

    end: End
    stamps: bool = False  # whether it uses TCP timestamps
    said: list[Sent] = field(default_factory=list)
    finished: bool = False

    def says(self, flags: int, payload: int | None = 0, **how: object) -> None:
        if self.stamps:
            how = {"tsval": self.tick(), "tsecr": self.heard()} | how
        self.said.append(self.end.sends(flags, payload, **how))  # type: ignore[arg-type]  # as sends has them

    def tick(self) -> int:
        """The clock of its timestamps: a millisecond each, about to wrap."""
        return ((self.end.wire.time_ns - START_NS) // 1_000_000 - 30) % MODULUS

    def heard(self) -> int:
        """The latest timestamp of the other end."""
        peer = self.end.peer.endpoint
        stamps = (each.tsval for each in reversed(self.end.wire.sent) if each.source == peer)
        return next((stamp for stamp in stamps if stamp is not None), 0)


def _syn(speaker: Speaker, numbers: Numbers) -> None:
    speaker.says(SYN, 30 if numbers[0] == 0 else 0)


def _syn_ack(speaker: Speaker, numbers: Numbers) -> None:
    wrong = 77 if numbers[0] == 0 else 0
    speaker.says(SYN | ACK, acknowledgment=speaker.end.peer.next + wrong)


def _ack(speaker: Speaker, numbers: Numbers) -> None:
    back = (0, 0, 0, 0, 100, 1)[numbers[0] % 6]
    speaker.says(ACK, acknowledgment=speaker.end.peer.next - back, sack=numbers[1] % 4 == 0)


def _data(speaker: Speaker, numbers: Numbers) -> None:
    if not speaker.finished:
        size = (1, 10, 40, 100)[numbers[0] % 4]
        speaker.says(ACK | (PUSH if numbers[1] % 2 else 0), size, seen=numbers[2] % 5 > 0)


def _again(speaker: Speaker, numbers: Numbers) -> None:
    """A range around what was sent already, aligned or not."""
    end, back = speaker.end, (10, 25, 100, 140)[numbers[0] % 4]
    size = min((10, 60, 100, 200)[numbers[1] % 4], back) if speaker.finished else 60
    flags = ACK | (PUSH if numbers[2] % 2 else 0)
    speaker.says(flags, size, sequence=end.next - back - speaker.finished)


def _repeat(speaker: Speaker, numbers: Numbers) -> None:
    """The very same segment once more."""
    if speaker.said:
        old = speaker.said[-1 - numbers[0] % len(speaker.said)]
        speaker.end.wire.again(old, ip_id=old.ip_id + numbers[1] % 2)


def _fin(speaker: Speaker, numbers: Numbers) -> None:
    if not speaker.finished:
        speaker.says(ACK | FIN, 15 if numbers[0] % 3 == 0 else 0, seen=numbers[1] % 4 > 0)
        speaker.finished = True


def _rst(speaker: Speaker, numbers: Numbers) -> None:
    if numbers[0] % 3 == 0:
        speaker.said.append(speaker.end.rst(ttl=64 - numbers[1]))


def _keep_alive(speaker: Speaker, numbers: Numbers) -> None:
    speaker.says(ACK, numbers[0] % 2, sequence=speaker.end.next - 1)


def _window(speaker: Speaker, numbers: Numbers) -> None:
    """Close the window, or open it."""
    speaker.end.window = 0 if numbers[0] % 2 else 512
    speaker.says(ACK)


def _window_probe(speaker: Speaker, numbers: Numbers) -> None:
    if not speaker.finished:
        at = speaker.end.next
        speaker.says(ACK, 1)
        if numbers[0] % 2:
            speaker.end.next = at


def _lost(speaker: Speaker, numbers: Numbers) -> None:
    """Bytes that the capture missed."""
    if not speaker.finished:
        speaker.says(ACK, 10 + numbers[0], seen=False)


def _unknown(speaker: Speaker, numbers: Numbers) -> None:
    """A segment whose length nobody knows."""
    if numbers[0] == 0:
        speaker.says(ACK, None)


def _nothing_pushed(speaker: Speaker, numbers: Numbers) -> None:
    speaker.says(ACK | PUSH)


WORDS: dict[str, Callable[[Speaker, Numbers], None]] = {
    word.__name__.lstrip("_"): word
    for word in (
        *(_syn, _syn_ack, _ack, _data, _again, _repeat, _fin, _rst, _keep_alive, _window),
        *(_window_probe, _lost, _unknown, _nothing_pushed),
    )
}
# What is said about bytes comes more often than what begins and ends a connection.
VOCABULARY = (*WORDS, *["data", "ack", "again", "ack", "data", "repeat"], "handshake", "copy")
EVENTS = ("overtake", "renew", "backwards")


# Word, which conversation, which end, pause, numbers.
steps = st.tuples(
    st.sampled_from((*VOCABULARY, *EVENTS)),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from(PAUSES_US),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
)
Steps = Sequence[tuple[str, int, int, int, Numbers]]


@st.composite
def captures(draw: st.DrawFn, longest: int = 40) -> list[Sent]:
    """What a capture shows of up to three conversations."""
    pairs = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3, unique=True))
    numbers = draw(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)))
    side = draw(st.sampled_from((0, 0, 1, 2, 3)))
    play = Play(pairs, numbers, side, stamps=draw(st.booleans()))
    for step in draw(st.lists(steps, min_size=1, max_size=longest)):
        play.step(*step)
    return play.wire.sent


class Play:
    """The conversations of a capture, and the clock they share."""

    def __init__(
        self,
        pairs: Sequence[tuple[Endpoint, Endpoint]],
        isn: tuple[int, int],
        side: int,
        *,
        stamps: bool,
    ) -> None:
        self.wire = Wire()
        self.isn = isn
        self.talks = [self.wire.talk(*pair, isn=isn, side=side) for pair in pairs]
        self.speakers = [(Speaker(talk.a, stamps), Speaker(talk.b, stamps)) for talk in self.talks]

    def step(self, word: str, which: int, end: int, pause: int, numbers: Numbers) -> None:
        """One step of the story."""
        talk, speakers = self.talks[which % len(self.talks)], self.speakers[which % len(self.talks)]
        self.wire.wait(us=pause)
        if word in WORDS:
            WORDS[word](speakers[end], numbers)
        elif word == "handshake":
            talk.handshake()
        elif word == "overtake":
            self.wire.overtake()
        elif word == "backwards":
            self.wire.wait(us=-600 * numbers[0])
        elif word == "copy" and self.wire.sent:
            self._copy(numbers)
        elif word == "renew":
            self._renew(talk, speakers, numbers)

    def _copy(self, numbers: Numbers) -> None:
        """One of the last ten segments of the capture, on another path or the same."""
        old = self.wire.sent[-1 - numbers[0] % len(self.wire.sent)]
        self.wire.again(old, after_us=0, path=numbers[1] % 2, ttl=64 - numbers[2] % 2)

    def _renew(self, talk: Talk, speakers: tuple[Speaker, Speaker], numbers: Numbers) -> None:
        """The same ports again, with the same numbers or others."""
        ahead = (0, 1, 50_000, 2**31)[numbers[0] % 4]
        isn = (self.isn[0] + ahead) % MODULUS, (self.isn[1] + ahead) % MODULUS
        talk.renew(isn)
        for speaker in speakers:
            speaker.finished = False
        if numbers[1] % 2:
            talk.handshake()
