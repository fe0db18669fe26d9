"""The bounds that buffers are sized by hold for the longest value of every operation."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.report import Kind, Values

LONGEST_TIME = -(2**63)  # with nine digits, like every time
NINE = np.array([9], np.uint8)


def address(text: str) -> Values:
    return Values(np.array([halves(text)], np.int64))


@pytest.mark.parametrize(
    ("kind", "form", "values"),
    [
        (Kind.INTEGER, "UTC", Values(np.array([2**63 - 1]))),
        (Kind.ADDRESS, "UTC", address("1111:2222:3333:4444:5555:6666:7777:8888")),
        (Kind.TIME, "UTC", Values(np.array([LONGEST_TIME]), digits=NINE)),
        (Kind.TIME, "CLOCK", Values(np.array([LONGEST_TIME]), digits=NINE)),
        (Kind.TIME, "RELATIVE", Values(np.array([LONGEST_TIME]))),
        (Kind.SECONDS, "UTC", Values(np.array([2**63 - 1]))),
    ],
)
def test_the_longest_value_is_within_its_bound(
    formatting: ModuleType, kind: Kind, form: str, values: Values
) -> None:
    field = formatting.Field("value", kind, brackets=True, time_form=formatting.TimeForm[form])
    style = formatting.Style("-", '"', str, str)
    text = b"".join(formatting.RowProgram([field], style).write({"value": values}, 1))
    assert 0 < len(text) <= formatting.operations.LONGEST[field.code]


def test_the_longest_number_in_a_unit_is_within_its_bound(formatting: ModuleType) -> None:
    field = formatting.Field("value", Kind.INTEGER, unit=2, decimals=0)
    point = formatting.Field("value", Kind.INTEGER, unit=10, decimals=1)
    style = formatting.Style("-", "", str, str)
    values = {"value": Values(np.array([2**63 - 1]))}
    texts = [
        b"".join(formatting.RowProgram([each], style).write(values, 1)) for each in (field, point)
    ]
    assert texts == [b"4611686018427387903", b"922337203685477580.7"]
    assert max(map(len, texts)) <= formatting.operations.LONGEST[field.code]


def test_every_operation_has_a_bound_and_slots(formatting: ModuleType) -> None:
    operations = formatting.operations
    codes = set(range(operations.NOTHING, operations.DECIMAL + 1))
    assert set(operations.LONGEST) == set(operations.SLOTS) == codes
