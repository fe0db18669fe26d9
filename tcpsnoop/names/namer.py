"""Fills the columns of a report that hold names of another column's hosts or services."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.names.hosts import Address, Hosts, usable_name
from tcpsnoop.names.resolver import SECONDS_FOR_ALL, Resolver
from tcpsnoop.names.services import PORTS, service_name
from tcpsnoop.report import Report, Values

# More than any resolver answers in the time it has; the rest is not asked.
MOST_QUESTIONS = 1 << 14
# Rows looked up at once, which bounds the Python objects there are of them.
_ROWS = 1 << 16


class Namer:
    """Names for reports, at the time they are printed.

    `numeric` leaves all names unknown; `hosts` are tables that count before the resolver, which is
    asked only with `resolve`.
    """

    def __init__(
        self,
        numeric: bool,
        hosts: Hosts,
        resolve: bool,
        resolver: Resolver | None = None,
        service: Callable[[int], str | None] = service_name,
    ) -> None:
        self._numeric = numeric
        self._hosts = hosts
        self._resolver = (resolver or Resolver()) if resolve and not numeric else None
        self._service = service
        self._unanswered = 0
        self._alone = threading.Lock()

    def name(self, report: Report) -> Report:
        """The report with values of kind TEXT for all its columns of names; null where unknown.

        What the reporter itself put into such a column stays, as `(other)`. Several threads may
        ask: one report is named after the other.
        """
        with self._alone:
            return self._named(report)

    def _named(self, report: Report) -> Report:
        values = dict(report.table.values)
        for column in report.table.schema.columns:
            if column.names is None:
                continue
            what, source = column.names
            if self._numeric:
                named = Values(np.full(len(report.table), -1, np.int32))
            elif what == "host":
                named = self._host_names(values[source])
            else:
                named = self._service_names(values[source])
            given = values.get(column.name)
            values[column.name] = named if given is None else _over(given, named)
        return replace(report, table=replace(report.table, values=values))

    def notes(self) -> tuple[str, ...]:
        """What the user must know of names: how many addresses could not be looked up in time."""
        if not self._unanswered:
            return ()
        return (
            f"host names: {self._unanswered} addresses stay numeric, "
            f"the resolver gave no answer within {SECONDS_FOR_ALL:g} s",
        )

    def _host_names(self, values: Values) -> Values:
        addresses = values.data.astype(np.int64, copy=False)
        names = {
            address: name
            for address, text in self._hosts.items()
            if (name := usable_name(text)) is not None
        }
        index = _indices(addresses, names)
        if self._resolver is not None:
            known = np.ones(len(index), np.bool_) if values.known is None else values.known
            unnamed = addresses[(index < 0) & known]
            names |= self._resolved(self._resolver, unnamed)
            index = _indices(addresses, names)
        if values.known is not None:
            index[~values.known] = -1
        return Values(index, list(names.values()))

    def _resolved(self, resolver: Resolver, addresses: NDArray[np.int64]) -> dict[Address, str]:
        distinct = _distinct_from_the_end(addresses)
        asked: list[Address] = [(high, low) for high, low in distinct[:MOST_QUESTIONS].tolist()]
        answers = resolver.resolve(asked)
        self._unanswered += len(distinct) - len(answers)
        return {
            address: name
            for address, text in answers.items()
            if text is not None and (name := usable_name(text)) is not None
        }

    def _service_names(self, values: Values) -> Values:
        ports = values.data.astype(np.int64)
        known = (ports >= 0) & (ports < PORTS)
        if values.known is not None:
            known &= values.known
        distinct, place = np.unique(ports[known], return_inverse=True)
        texts = [self._service(port) for port in distinct.tolist()]
        pool = [text for text in texts if text is not None]
        has_name = np.array([text is not None for text in texts], np.bool_)
        numbers = np.where(has_name, np.cumsum(has_name) - 1, -1)
        index = np.full(len(ports), -1, np.int32)
        index[known] = numbers[place]
        return Values(index, pool)


def _over(given: Values, named: Values) -> Values:
    """The values of `given`, and where they are unknown those of `named`."""
    places = named.data.astype(np.int32)
    own = given.data.astype(np.int32) + len(named.pool)
    return Values(np.where(own < len(named.pool), places, own), [*named.pool, *given.pool])


def _indices(addresses: NDArray[np.int64], names: dict[Address, str]) -> NDArray[np.int32]:
    """For each address the place of its name in the order of `names`, -1 when it has none."""
    index = np.full(len(addresses), -1, np.int32)
    if not names:
        return index
    places = {address: place for place, address in enumerate(names)}
    for first in range(0, len(addresses), _ROWS):
        piece = addresses[first : first + _ROWS]
        pairs = zip(piece[:, 0].tolist(), piece[:, 1].tolist(), strict=True)
        found = (places.get(pair, -1) for pair in pairs)
        index[first : first + _ROWS] = np.fromiter(found, np.int32, len(piece))
    return index


def _distinct_from_the_end(addresses: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each address once, those of the last rows first: reports end with what is largest."""
    order = np.lexsort((addresses[:, 1], addresses[:, 0]))
    ordered = addresses[order]
    is_last = np.ones(len(ordered), np.bool_)
    is_last[:-1] = (ordered[1:] != ordered[:-1]).any(axis=1)
    rows: NDArray[np.int64] = np.sort(order[is_last])[::-1]
    return addresses[rows]
