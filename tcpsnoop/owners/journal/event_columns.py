"""Rows of EVENT as columns of a journal, and back.

A column has a value for each row, 0 where it says nothing, and is left out where it says nothing of
any row. What a field of EVENT means depends on the kind of the event; a column means one thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpsnoop.batches.addresses import halves, text_of
from tcpsnoop.owners.journal.records import DamageError
from tcpsnoop.owners.tracing.events import (
    DESTROYED,
    EVENT,
    EXITED,
    FORKED,
    LOST,
    NAMED,
    NAMESPACE,
    RECEIVED,
    SEEDED,
    SENT,
    STATE,
)

KINDS = {
    STATE: "state",
    SENT: "sent",
    RECEIVED: "received",
    DESTROYED: "destroyed",
    FORKED: "forked",
    NAMED: "named",
    EXITED: "exited",
    NAMESPACE: "namespace",
    SEEDED: "seeded",
    LOST: "lost",
}
_WORDS = np.array([KINDS.get(kind, "") for kind in range(max(KINDS) + 1)], object)
_NUMBERS = {word: kind for kind, word in KINDS.items()}

_OF_SOCKETS = (STATE, SENT, RECEIVED, DESTROYED)
_WITH_ENDS = (STATE, DESTROYED)
_WITH_NAMES = (NAMED, SEEDED)


class _Numbers(NamedTuple):
    """A column of numbers: the field of EVENT that it is, in events of these kinds."""

    name: str
    field: str
    kinds: Sequence[int]


_COLUMNS = (
    _Numbers("pid", "pid", tuple(KINDS)),
    _Numbers("tid", "tid", tuple(KINDS)),
    _Numbers("flags", "flags", tuple(KINDS)),
    _Numbers("cgroup", "cgroup", _OF_SOCKETS),
    _Numbers("old", "old", (STATE,)),
    _Numbers("new", "new", (STATE,)),
    _Numbers("lport", "lport", _WITH_ENDS),
    _Numbers("rport", "rport", _WITH_ENDS),
    _Numbers("bytes", "length", (SENT, RECEIVED)),
    _Numbers("cookie", "cookie", (DESTROYED,)),
    _Numbers("parent", "length", (FORKED,)),
    _Numbers("network_namespace", "socket", (NAMESPACE, SEEDED)),
    _Numbers("start_time", "cookie", (SEEDED,)),
    _Numbers("lost", "length", (LOST,)),
)
_ENDS = (("laddr", "laddr_high", "laddr_low"), ("raddr", "raddr_high", "raddr_low"))


class EventColumns:
    """Writes events. Sockets are numbered: where the kernel has them is nobody's business."""

    def __init__(self) -> None:
        self._sockets: dict[int, int] = {}  # number of the living by address in the kernel
        self._made = 0
        self._texts: dict[tuple[int, int], str] = {}

    def write(self, rows: NDArray[np.void]) -> dict[str, object]:
        """The columns of rows in the order of time; there is one at least."""
        kinds = rows["kind"]
        first_ns = int(rows["time_ns"][0])
        columns: dict[str, object] = {
            "time_ns": first_ns,
            "kind": _WORDS[kinds].tolist(),
            "after_ns": (rows["time_ns"] - first_ns).tolist(),
        }
        for name, field, of in _COLUMNS:
            told = np.where(np.isin(kinds, of), rows[field], 0)
            if told.any():
                columns[name] = told.tolist()
        if np.isin(kinds, _OF_SOCKETS).any():
            columns["socket"] = self._numbered(rows)
        if np.isin(kinds, _WITH_ENDS).any():
            for name, high, low in _ENDS:
                columns[name] = self._addresses(rows, high, low)
        if np.isin(kinds, _WITH_NAMES).any():
            columns["name"] = _names(rows)
        return columns

    def _numbered(self, rows: NDArray[np.void]) -> list[int]:
        numbers = []
        for kind, address in zip(rows["kind"].tolist(), rows["socket"].tolist(), strict=True):
            number = 0
            if kind in _OF_SOCKETS:
                number = self._sockets.get(address, 0)
                if number == 0:
                    self._made += 1
                    number = self._sockets[address] = self._made
                if kind == DESTROYED:
                    del self._sockets[address]
            numbers.append(number)
        return numbers

    def _addresses(self, rows: NDArray[np.void], high: str, low: str) -> list[str | int]:
        texts: list[str | int] = []
        pairs = zip(rows[high].tolist(), rows[low].tolist(), strict=True)
        for kind, pair in zip(rows["kind"].tolist(), pairs, strict=True):
            if kind not in _WITH_ENDS:
                texts.append(0)
                continue
            text = self._texts.get(pair)
            if text is None:
                if len(self._texts) >= 1 << 16:
                    self._texts.clear()
                text = self._texts[pair] = text_of(*pair)
            texts.append(text)
        return texts


def _names(rows: NDArray[np.void]) -> list[str | int]:
    """The names of processes; bytes that are no UTF-8 are kept as lone surrogates."""
    raw = np.stack((rows["laddr_high"], rows["laddr_low"]), axis=1).astype(">i8").tobytes()
    return [
        raw[16 * at : 16 * at + 16].rstrip(b"\0").decode("utf-8", "surrogateescape")
        if kind in _WITH_NAMES
        else 0
        for at, kind in enumerate(rows["kind"].tolist())
    ]


def read_events(columns: Mapping[str, object]) -> NDArray[np.void]:
    """Rows of EVENT from columns, but for those that are not known; DamageError when odd."""
    try:
        return _read(columns)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DamageError(f"events that cannot be read ({error})") from error


def _read(columns: Mapping[str, object]) -> NDArray[np.void]:
    words = columns["kind"]
    if not isinstance(words, list) or not words:
        raise ValueError("no kinds")
    count = len(words)
    rows = np.zeros(count, EVENT)
    kinds = rows["kind"] = np.array([_NUMBERS[word] for word in words])
    rows["time_ns"] = _numbers(columns["after_ns"], count, np.dtype("i8"))
    first_ns = columns["time_ns"]
    if not isinstance(first_ns, int) or not 0 <= first_ns < 1 << 61:
        raise ValueError("a time")
    if rows["time_ns"].min() < -(1 << 60) or rows["time_ns"].max() > 1 << 60:
        raise ValueError("a time")
    rows["time_ns"] += first_ns
    for name, field, of in _COLUMNS:
        if name in columns:
            mine = np.isin(kinds, of)
            told = _numbers(columns[name], count, EVENT[field])
            rows[field][mine] = told[mine]
    mine = np.isin(kinds, _OF_SOCKETS)
    if mine.any():
        rows["socket"][mine] = _numbers(columns["socket"], count, EVENT["socket"])[mine]
    if "name" in columns:
        _set_halves(rows, _WITH_NAMES, columns["name"], "laddr_high", "laddr_low", _name_halves)
    for name, high, low in _ENDS:
        if name in columns:
            _set_halves(rows, _WITH_ENDS, columns[name], high, low, _halves)
    return rows


def _numbers(told: object, count: int, dtype: np.dtype[Any]) -> NDArray[np.int64]:
    if not isinstance(told, list) or len(told) != count:
        raise ValueError("columns of different lengths")
    numbers = np.array(told)
    limits = np.iinfo(dtype)
    if numbers.dtype != np.int64 or numbers.ndim != 1:
        raise ValueError("no whole numbers")
    if numbers.min() < limits.min or numbers.max() > limits.max:
        raise ValueError("a number that is too large")
    return numbers


def _set_halves(
    rows: NDArray[np.void],
    of: Sequence[int],
    told: object,
    high: str,
    low: str,
    halves_of: Callable[[str], tuple[int, int]],
) -> None:
    """Set two fields of the rows of these kinds by texts."""
    if not isinstance(told, list) or len(told) != len(rows):
        raise ValueError("columns of different lengths")
    mine = np.isin(rows["kind"], of)
    if not mine.any():
        return
    texts = [text for text, its in zip(told, mine.tolist(), strict=True) if its]
    known = {text: halves_of(text) for text in set(texts)}
    pairs = np.array([known[text] for text in texts], np.int64)
    rows[high][mine], rows[low][mine] = pairs[:, 0], pairs[:, 1]


def _halves(text: str) -> tuple[int, int]:
    if not isinstance(text, str):  # a number would be an address, too
        raise TypeError("no text")
    return halves(text)


def _name_halves(name: str) -> tuple[int, int]:
    if not isinstance(name, str):
        raise TypeError("no text")
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) > 16:
        raise ValueError("a name that is too long")
    high, low = np.frombuffer(raw.ljust(16, b"\0"), ">i8").tolist()
    return high, low
