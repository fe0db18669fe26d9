"""All reports of a run: in their order, with their leading fields, in place where it is right."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.engine import outlets as module
from tcpsnoop.engine.crew import Crew
from tcpsnoop.engine.gathered import ENOUGH
from tcpsnoop.engine.outlets import MOST_JOBS, Outlets
from tcpsnoop.engine.output import Output
from tcpsnoop.engine.settings import Settings
from tcpsnoop.errors import CaptureError
from tcpsnoop.names.namer import Namer
from tcpsnoop.renderers.csv import Csv
from tcpsnoop.renderers.text import Text
from tcpsnoop.report import Interval
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.connect import Connect
from tcpsnoop.reporters.io import Io
from tcpsnoop.reporters.top import Top
from tests.probe_batches import START_NS, batch_of, row

ROWS = [
    row("accept-established", "10.0.0.1 80", "10.0.0.9 5"),
    row("connect-established", "10.0.0.1 5", "10.0.0.9 443"),
    row("send", "10.0.0.1 80", "10.0.0.9 5", packet=1),
]


def made(
    path: Path, *reporters: tuple[str, Any], crew: Crew | None = None, **others: Any
) -> Outlets:
    output = Output(str(path))
    output.open()
    settings = Settings(reporters, others.pop("renderer", Text), files=("a.pcap",), **others)
    return Outlets(settings, output, Namer(True, {}, False).name, crew)


def observed(outlets: Outlets) -> Outlets:
    outlets.begin(START_NS)
    outlets.observe(batch_of(ROWS), (), None)
    return outlets


def test_reports_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "output"
    outlets = observed(made(path, ("accept", Accept()), ("io", Io()), ("connect", Connect())))
    outlets.begin(START_NS)
    outlets.report(None)
    assert path.read_text().count("\n") == 2, "the others wait for their turn"
    outlets.finish()
    titles = [block.split()[0] for block in path.read_text().split("\n\n")]
    assert titles == ["HOSTNAME", "LADDR:PORT", "HOSTNAME"]


@pytest.mark.parametrize("helpers", [0, 1, 2])
def test_with_a_crew_each_report_has_its_probes_in_order(tmp_path: Path, helpers: int) -> None:
    """Many batches, reports between them: the same bytes as from one thread."""
    written = []
    for crew in (None, Crew(helpers)):
        path = tmp_path / f"output {crew is None}"
        own = [("io", Io()), ("accept", Accept()), ("connect", Connect())]
        with crew or nullcontext():
            outlets = made(path, *own, crew=crew)
            outlets.begin(START_NS)
            for number in range(4 * MOST_JOBS):
                rows = [each | {"packet": number} for each in ROWS]
                outlets.observe(batch_of(rows), (), None)
                outlets.pass_on()
                if number % 7 == 3:
                    outlets.report(Interval(START_NS + number, 6))
            outlets.report(None)
            outlets.catch_up()
            outlets.finish()
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert written[0].count(b"\n") > 4 * MOST_JOBS


def test_batches_in_use_are_no_more_than_the_tracker_keeps(tmp_path: Path) -> None:
    """Whoever observes another one waits, and helps, until the oldest is done with."""
    seen: list[int] = []

    class Slow(Accept):
        def observe(self, batch: ProbeBatch) -> None:
            seen.append(len(batch))

    with Crew(0) as crew:
        outlets = made(tmp_path / "output", ("slow", Slow()), crew=crew)
        outlets.begin(START_NS)
        for number in range(1, MOST_JOBS + 3):
            outlets.observe(batch_of(ROWS[:1] * ENOUGH), (), None)
            assert number - len(seen) <= MOST_JOBS
        outlets.catch_up()
    assert len(seen) == MOST_JOBS + 2


def test_what_a_report_raises_comes_to_who_asks_for_more(tmp_path: Path) -> None:
    class Broken(Accept):
        def observe(self, batch: ProbeBatch) -> None:
            raise CaptureError("broken")

    with Crew(1) as crew:
        outlets = made(tmp_path / "output", ("broken", Broken()), crew=crew)
        outlets.begin(START_NS)
        outlets.observe(batch_of(ROWS[:1] * ENOUGH), (), None)
        with pytest.raises(CaptureError, match="broken"):
            outlets.catch_up()


def test_leading_fields_are_those_that_apply(tmp_path: Path) -> None:
    def header(*reporters: tuple[str, Any], **others: Any) -> list[str]:
        path = tmp_path / str(len(list(tmp_path.iterdir())))
        outlets = observed(made(path, *reporters, renderer=Csv, **others))
        outlets.report(Interval(START_NS, 6) if others.get("interval") else None)
        outlets.finish()
        return path.read_text().split("\n")[0].split(",")[:2]

    accept, io = ("accept", Accept()), ("io", Io())
    assert header(accept, machine=True) == ["raddr", "hostname"]
    assert header(accept, machine=True, interval=1.0) == ["interval", "raddr"]
    assert header(accept, io, machine=True) == ["report", "raddr"]
    assert header(io, machine=True) == ["packet", "time"]


def test_jobs_write_what_was_observed_before(tmp_path: Path) -> None:
    path = tmp_path / "output"
    outlets = observed(made(path, ("accept", Accept())))
    (job,) = outlets.closing(Interval(START_NS, 6))
    outlets.observe(batch_of(ROWS[:1] * 4), (), None)
    job()
    assert path.read_text().splitlines()[-1].endswith("       1")


def test_remarks_of_all_are_told(tmp_path: Path) -> None:
    outlets = observed(made(tmp_path / "output", ("a", Accept(max_keys=0)), ("c", Connect())))
    outlets.report(None)
    outlets.finish()
    assert len(list(outlets.notes)) == 1


class Told:
    """Stands for a screen, and notes what is done with it."""

    def __init__(self, after: object) -> None:
        self.done: list[str] = []

    def open(self, message: str) -> None:
        self.done.append(f"open: {message}")

    def write(self, pieces: Any) -> None:
        self.done.append(b"".join(pieces).decode().split("\n")[0])

    def asked_to_end(self) -> bool:
        return len(self.done) > 1

    def close(self) -> None:
        self.done.append("close")


def test_a_screen_is_opened_and_always_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Screen", Told)
    monkeypatch.setattr(module, "wants_screen", lambda settings: True)
    outlets = made(tmp_path / "output", ("top", Top()), interval=0.5)
    screen: Any = outlets._screen
    with pytest.raises(KeyError), outlets:  # noqa: PT012  (the end of the block is what is tested)
        outlets.show()
        assert not outlets.asked_to_end()
        observed(outlets).report(Interval(START_NS, 6, load=1.5))
        assert outlets.asked_to_end()
        raise KeyError
    assert screen.done == [
        "open: Tracing... The first rows come after 0.5 s. q ends it.",
        "2006-05-13T08:00:00.000000Z,  load: 1.50,  TCPin:    0.0 KB,  TCPout:    0.0 KB",
        "close",
    ]


def test_without_a_screen_nobody_asks_for_the_end(tmp_path: Path) -> None:
    outlets = made(tmp_path / "output", ("top", Top()), interval=1.0)
    with outlets:
        outlets.show()
        assert not outlets.asked_to_end()
