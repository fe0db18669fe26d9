"""One run as the command line starts it: what it refuses, tells, and returns.

What whole runs do with each option is in tests/cli, and live in tests/live.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.engine import run as module
from tcpsnoop.engine.run import DONE, INCOMPLETE, run
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.errors import UsageError
from tcpsnoop.renderers.text import Text
from tcpsnoop.reporters.accept import Accept
from tcpsnoop.reporters.io import Io
from tests.fixture_types import Capture

Told = tuple[int, str, list[str], list[str]]
RunOn = Callable[..., Told]


@pytest.fixture
def run_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capture: Capture) -> RunOn:
    """Runs reports on a capture: status, output, notes and faults. Nobody gives up root here."""
    monkeypatch.setattr(module, "unprivileged_user", lambda chosen: None)

    def run_reports(name: str, *reports: Any, stop: bool = False, **options: Any) -> Told:
        notes: list[str] = []
        faults: list[str] = []
        output = tmp_path / "output"
        settings = Settings(
            tuple((type(report).__name__.lower(), report) for report in reports),
            Text,
            files=(str(capture(name)),),
            numeric=True,
            output=str(output),
            note=notes.append,
            fault=faults.append,
            **options,
        )
        request = StopRequest()
        request.asked = stop
        status = run(settings, request)
        return status, output.read_text(), notes, faults

    return run_reports


def test_a_run_reports_and_tells(run_on: RunOn) -> None:
    status, output, notes, faults = run_on("finger.pcap", Io())
    assert (status, len(output.splitlines()), faults) == (DONE, 12, [])
    assert notes[-2:] == [
        "11 packets read, 11 TCP",
        "local side not known, the responder stands at the left: 1 connection",
    ]


def test_several_reports_stand_one_after_the_other(run_on: RunOn) -> None:
    _, output, _, _ = run_on("finger.pcap", Accept(), Io())
    accept, io = output.split("\n\n")
    assert len(accept.splitlines()) == 2
    assert len(io.splitlines()) == 12


def test_what_is_missing_is_a_fault_and_a_status(run_on: RunOn) -> None:
    status, output, _, faults = run_on("cut-body.pcap", Io())
    assert (status, len(faults)) == (INCOMPLETE, 1)
    assert "cut off" in faults[0]
    assert len(output.splitlines()) == 11


def test_being_stopped_while_reading_is_one(run_on: RunOn) -> None:
    status, output, _, faults = run_on("finger.pcap", Io(), stop=True)
    assert (status, len(output.splitlines())) == (INCOMPLETE, 1)
    assert faults == ["reading was interrupted: the rest of the input is missing"]


def test_no_packet_that_could_be_filtered_is_one(run_on: RunOn) -> None:
    status, _, _, faults = run_on("unsupported-link-type.pcap", Io(), filter="tcp")
    assert (status, len(faults)) == (INCOMPLETE, 1)
    assert "can be filtered" in faults[0]


def test_no_packet_that_passes_the_filter_is_none(run_on: RunOn) -> None:
    status, output, notes, faults = run_on("finger.pcap", Io(), filter="tcp port 1")
    assert (status, len(output.splitlines()), faults) == (DONE, 1, [])
    assert "11 packets read, 0 passed the filter" in notes


@pytest.mark.parametrize(
    ("report", "options", "told"),
    [
        (Io, {"interval": 1.0}, "--interval: io is a log"),
        (Io, {"intervals": 2, "interval": 1.0}, "--interval: io is a log"),
        (Io, {"intervals": 2}, "--intervals: io is a log"),
        (Accept, {"intervals": 2}, "--intervals: how long is each"),
        (Io, {"top": 3}, "--top: io is a log"),
        (Io, {"sort": "packet"}, "--sort: io is a log"),
        (Accept, {"pids": (1,)}, "a capture file does not tell processes"),
        (Accept, {"commands": ("x",)}, "a capture file does not tell processes"),
        (Accept, {"uids": (1,)}, "a capture file does not tell processes"),
        (Accept, {"cgroups": ("x",)}, "a capture file does not tell processes"),
        (Accept, {"run": ("true",)}, "captured live, not read from files"),
        (Accept, {"owners": "no/such"}, "--owners no/such: No such file"),
        (Accept, {"sort": "size"}, "--sort size"),
        (Accept, {"local": ("here",)}, "--local here"),
        (Accept, {"hosts": "no/such"}, "no/such"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_file(
    run_on: RunOn, tmp_path: Path, report: type, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        run_on("finger.pcap", report(), **options)
    assert not (tmp_path / "output").exists()
