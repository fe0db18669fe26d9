"""The laws of DESIGN 2 for every registered reporter, ours and other people's.

Reports are compared as JSON lines and notes: all that anybody can see of them. Whether the laws can
be broken at all is tested with reporters that break them.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, partial, reduce
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.batches.probes import CLOSED_ROW, DETAIL, PROBES
from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.interfaces.reporter import LogReporter, SummaryReporter
from tcpsnoop.registry import REPORTERS, load, names
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.report import Report, Schema, Table
from tests.probe_streams import Stream, streams
from tests.reporters.breaking import BREAKING

Make = Callable[..., Any]

# Columns of CLOSED_ROW and DETAIL that hold a field of a probe, by the field's name.
DETAIL_COLUMNS = {name: (name,) for name in (*(CLOSED_ROW.names or ()), *(DETAIL.names or ()))} | {
    "sender": ("sender_high", "sender_low")
}


class Law(Protocol):
    """Fails when a reporter does not keep it for this stream."""

    def __call__(self, make: Make, stream: Stream) -> None: ...


@cache
def renderer_for(schema: Schema) -> Jsonl:
    """One for each schema: a new one costs more than the rows here."""
    return Jsonl(RenderOptions())


def json_lines(table: Table) -> bytes:
    return b"".join(renderer_for(table.schema).rows(table))


def seen(report: Report) -> tuple[bytes, bytes, tuple[str, ...]]:
    """What can be seen of a report."""
    above = b"" if report.above is None else json_lines(report.above)
    return json_lines(report.table), above, report.notes


def fed(reporter: Any, batches: Sequence[ProbeBatch]) -> Any:
    for batch in batches:
        reporter.observe(batch)
    return reporter


def added(first: Any, second: Any) -> Any:
    first.merge(second)
    return first


def a_new_one_is_the_identity(make: Make, stream: Stream) -> None:
    expected = seen(fed(make(), stream.whole).report())
    assert seen(added(make(), fed(make(), stream.whole)).report()) == expected
    assert seen(added(fed(make(), stream.whole), make()).report()) == expected


def merging_is_associative(make: Make, stream: Stream) -> None:
    def parts() -> list[Any]:
        return [fed(make(), part) for part in stream.parts]

    from_left = reduce(added, parts())
    from_right = reduce(lambda later, earlier: added(earlier, later), reversed(parts()))
    assert seen(from_left.report()) == seen(from_right.report())


def a_stream_is_any_split_of_it(make: Make, stream: Stream) -> None:
    expected = seen(fed(make(), stream.whole).report())
    assert seen(reduce(fed, stream.parts, make()).report()) == expected
    assert seen(reduce(added, [fed(make(), part) for part in stream.parts]).report()) == expected


def pickling_changes_nothing(make: Make, stream: Stream) -> None:
    expected = seen(fed(make(), stream.whole).report())
    assert seen(pickle.loads(pickle.dumps(fed(make(), stream.whole))).report()) == expected
    parts = [pickle.loads(pickle.dumps(fed(make(), part))) for part in stream.parts]
    assert seen(reduce(added, parts).report()) == expected


def reporting_changes_nothing(make: Make, stream: Stream) -> None:
    expected = seen(fed(make(), stream.whole).report())
    reporter = make()
    for part in stream.parts:
        reporter.report()
        fed(reporter, part)
    assert seen(reporter.report()) == expected
    assert seen(reporter.report()) == expected


def a_batch_may_be_overwritten(make: Make, stream: Stream) -> None:
    expected = seen(fed(make(), stream.whole).report())
    reporter = make()
    for batch in stream.whole:
        reporter.observe(batch)
        batch.rows[:] = np.zeros((), batch.rows.dtype)
    assert seen(reporter.report()) == expected


def rows_of_the_parts_are_those_of_the_whole(make: Make, stream: Stream) -> None:
    expected = b"".join(json_lines(make().rows(batch)) for batch in stream.whole)
    log = make()
    found = b"".join(json_lines(log.rows(batch)) for part in stream.parts for batch in part)
    assert found == expected


def rows_say_which_probe_they_are_of(make: Make, stream: Stream) -> None:
    for batch in stream.whole:
        table = make().rows(batch)
        assert table.origin is not None
        assert len(table.origin) == len(table)
        lines = json_lines(table).splitlines(keepends=True)
        for line, origin in zip(lines, table.origin.tolist(), strict=True):
            assert json_lines(make().rows(batch.take(np.array([origin])))) == line


LAWS_OF_SUMMARIES: list[Law] = [
    a_new_one_is_the_identity,
    merging_is_associative,
    a_stream_is_any_split_of_it,
    pickling_changes_nothing,
    reporting_changes_nothing,
    a_batch_may_be_overwritten,
]
LAWS_OF_LOGS: list[Law] = [
    rows_of_the_parts_are_those_of_the_whole,
    rows_say_which_probe_they_are_of,
]


def laws_of(reporter: object) -> list[Law]:
    return LAWS_OF_LOGS if isinstance(reporter, LogReporter) else LAWS_OF_SUMMARIES


def makers(kind: Any) -> list[Make]:
    """The reporter as it comes, with each switch turned and each choice made; all with few keys."""
    made: list[Make] = [kind]
    for field in fields(kind):
        values: Sequence[Any] = field.metadata.get("choices", ())
        if isinstance(field.default, bool) and "help" in field.metadata:
            values = [not field.default]
        made += [partial(kind, **{field.name: value}) for value in values]
    few = [
        partial(make, max_keys=keys)
        for make in made
        if isinstance(make(), SummaryReporter)
        for keys in (0, 3)
    ]
    return [*made, *few]


@pytest.mark.parametrize("name", names(REPORTERS))
def test_it_is_a_reporter(name: str) -> None:
    kind = load(REPORTERS, name)
    reporter = kind()
    assert is_dataclass(kind)
    assert isinstance(reporter, LogReporter) != isinstance(reporter, SummaryReporter)
    assert reporter.probes
    assert set(reporter.probes) <= set(PROBES)
    assert all(field.metadata["help"] for field in fields(reporter))
    assert isinstance(reporter.needs_frames, bool)


@pytest.mark.parametrize("name", names(REPORTERS))
def test_a_row_with_a_pid_says_how_it_is_known(name: str) -> None:
    for make in makers(load(REPORTERS, name)):
        columns = [column.name for column in make().schema.columns]
        assert len(set(columns)) == len(columns)
        if "pid" in columns:
            assert columns[-3:] == ["attribution", "reason", "holders"]


@pytest.mark.parametrize("name", [name for name, probe in PROBES.items() if probe.fields])
def test_streams_vary_in_all_that_a_probe_adds(name: str) -> None:
    added_columns = [
        column for field in PROBES[name].fields for column in DETAIL_COLUMNS[field.name]
    ]

    def varies(stream: Stream) -> bool:
        own = stream.closed if name == "closed" else stream.details
        own = own[stream.rows["detail"]]
        return all(len(np.unique(own[column])) > 1 for column in added_columns)

    find(streams([name]), varies, settings=settings(phases=[Phase.generate]))


@pytest.mark.parametrize("name", names(REPORTERS))
@given(data=st.data())
def test_the_laws_hold(name: str, data: st.DataObject) -> None:
    kind = load(REPORTERS, name)
    stream = data.draw(streams(kind.probes))
    make = data.draw(st.sampled_from(makers(kind)))
    for law in laws_of(make()):
        law(make, copy.deepcopy(stream))


@pytest.mark.parametrize("name", names(REPORTERS))
@given(data=st.data())
def test_every_row_has_every_column_that_no_other_part_fills(
    name: str, data: st.DataObject
) -> None:
    kind = load(REPORTERS, name)
    reporter = data.draw(st.sampled_from(makers(kind)))()
    for batch in data.draw(streams(reporter.probes)).whole:
        if isinstance(reporter, LogReporter):
            table = reporter.rows(batch)
        else:
            table = fed(reporter, [batch]).report().table
        assert table.schema == reporter.schema
        columns = {column.name for column in table.schema.columns if column.names is None}
        assert columns <= set(table.values)
        assert {len(values.data) for values in table.values.values()} == {len(table)}


@pytest.mark.parametrize("kind", BREAKING, ids=lambda kind: kind.__name__)
def test_a_reporter_that_breaks_a_law_is_found_out(kind: Any) -> None:
    @settings(phases=[Phase.generate], report_multiple_bugs=False)
    @given(stream=streams(kind.probes))
    def holds(stream: Stream) -> None:
        for law in laws_of(kind()):
            if law.__name__ == kind.breaks:  # type: ignore[attr-defined]  # laws are functions
                law(kind, copy.deepcopy(stream))

    with pytest.raises(AssertionError):
        holds()
