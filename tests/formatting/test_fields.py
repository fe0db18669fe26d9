"""Which operation writes a field."""

from __future__ import annotations

import pytest

from tcpsnoop.formatting.fields import Field, TimeForm
from tcpsnoop.formatting.operations import (
    ADDRESS,
    CLOCK,
    DECIMAL,
    INTEGER,
    POOL,
    SECONDS,
    TIME,
)
from tcpsnoop.report import Kind

OPERATIONS = {
    Kind.INTEGER: INTEGER,
    Kind.ADDRESS: ADDRESS,
    Kind.TIME: TIME,
    Kind.SECONDS: SECONDS,
    Kind.FLAGS: POOL,
    Kind.DIRECTION: POOL,
    Kind.TEXT: POOL,
    Kind.OBJECT: POOL,
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_an_operation(kind: Kind) -> None:
    assert Field("value", kind).code == OPERATIONS[kind]


@pytest.mark.parametrize(
    ("form", "code"),
    [(TimeForm.UTC, TIME), (TimeForm.CLOCK, CLOCK), (TimeForm.RELATIVE, SECONDS)],
)
def test_the_form_of_a_time_chooses_its_operation(form: TimeForm, code: int) -> None:
    assert Field("time", Kind.TIME, time_form=form).code == code


def test_the_form_of_times_means_nothing_to_others() -> None:
    assert Field("bytes", Kind.INTEGER, time_form=TimeForm.CLOCK).code == INTEGER


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.SECONDS])
def test_a_unit_makes_a_number_with_a_point(kind: Kind) -> None:
    assert Field("bytes", kind, unit=1024).code == DECIMAL
