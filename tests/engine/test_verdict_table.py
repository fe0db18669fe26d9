"""The table of verdicts: a row for each verdict and link type, and what is told beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcpsnoop.batches.packets import SNOOP_DATALINKS
from tcpsnoop.batches.verdicts import Verdict
from tcpsnoop.engine import verdict_table as module
from tcpsnoop.engine.settings import Settings
from tcpsnoop.engine.signals import StopRequest
from tcpsnoop.engine.tally import Tally
from tcpsnoop.engine.verdict_table import DONE, INCOMPLETE, list_verdicts, verdict_table
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.report import Report
from tests.fixture_types import Capture


def rows_of(tally: Tally) -> list[dict[str, object]]:
    pieces = Jsonl(RenderOptions()).report(Report(verdict_table(tally)))
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


def test_every_verdict_but_tcp_has_a_reason() -> None:
    assert [verdict for verdict in Verdict if verdict.reason is None] == [Verdict.TCP]


def test_rows_in_the_order_of_verdicts_and_link_types() -> None:
    tally = Tally()
    tally.kinds.update({(Verdict.CUT_SHORT, 1): 7, (Verdict.TCP, 113): 5, (Verdict.TCP, 1): 6})
    rows = rows_of(tally)
    assert [(row["verdict"], row["link_type"], row["packets"]) for row in rows] == [
        ("tcp", 1, 6),
        ("tcp", 113, 5),
        ("cut short", 1, 7),
    ]
    assert [row["link"] for row in rows] == ["Ethernet", "Linux cooked v1", "Ethernet"]
    assert [row["reason"] is None for row in rows] == [True, True, False]


def test_unknown_numbers_and_names_are_null() -> None:
    tally = Tally()
    none = Verdict.UNSUPPORTED_LINK_TYPE
    tally.kinds.update({(none, 65535): 1, (none, SNOOP_DATALINKS + 5): 2})
    known = [(row["link_type"], row["link"]) for row in rows_of(tally)]
    assert known == [(65535, None), (None, "datalink 5 of snoop")]


def test_nothing_read_is_an_empty_table() -> None:
    assert rows_of(Tally()) == []


def run(
    file: Path, output: Path, monkeypatch: pytest.MonkeyPatch, *, force: bool = False
) -> list[str]:
    """Status and faults of a run that gives up nothing."""
    monkeypatch.setattr(module, "unprivileged_user", lambda chosen: None)
    told: list[str] = []
    settings = Settings(
        (), Jsonl, files=(str(file),), output=str(output), force=force, fault=told.append
    )
    with StopRequest() as stop:
        return [str(list_verdicts(settings, stop)), *told]


def test_counts_are_those_that_the_generators_state(
    capture: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = json.loads(capture("MANIFEST.json").read_text())["verdicts.pcap"]["verdicts"]
    output = tmp_path / "table"
    assert run(capture("verdicts.pcap"), output, monkeypatch) == [str(DONE)]
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert {row["verdict"]: row["packets"] for row in rows} == truth


def test_damage_is_told_and_what_was_read_counted(
    capture: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "table"
    status, fault = run(capture("cut-body.pcap"), output, monkeypatch)
    assert status == str(INCOMPLETE)
    assert "is cut off at byte 944" in fault
    assert json.loads(output.read_text())["packets"] == 10


def test_an_existing_file_is_left_alone(
    capture: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "table"
    output.write_text("kept")
    with pytest.raises(UsageError, match="exists: --force overwrites it"):
        run(capture("finger.pcap"), output, monkeypatch)
    assert output.read_text() == "kept"
    assert run(capture("finger.pcap"), output, monkeypatch, force=True) == [str(DONE)]
