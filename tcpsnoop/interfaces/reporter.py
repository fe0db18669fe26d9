"""A report is a small script over probes: what every reporter offers, and how it names options.

A reporter is a dataclass whose fields are its options, made with `option`. Its class attributes say
what it attaches to and what its rows are. There are two kinds: a *log* writes rows as they come and
keeps nothing; a *summary* accumulates and reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from tcpsnoop.batches.probe_batch import ProbeBatch
from tcpsnoop.report import Report, Schema, Table

DEFAULT_MAX_KEYS = 1_000_000
# What stands for the key of all keys beyond `max_keys` together.
OTHER = "(other)"


def other_note(max_keys: int) -> str:
    """The note of a report that has a row of OTHER."""
    return f"more than {max_keys} keys (--max-keys): what the others have is in {OTHER}"


def unknown_note(segments: int) -> tuple[str, ...]:
    """The notes of a report of bytes that met segments whose length nobody knows."""
    if segments == 0:
        return ()
    what = "1 segment" if segments == 1 else f"{segments} segments"
    return (f"{what} of unknown length not counted",)


def option(
    default: Any,
    help: str,  # noqa: A002  (the word argparse uses)
    *flags: str,
    choices: Sequence[str] = (),
) -> Any:
    """A dataclass field that is a command-line option.

    The long name is the field's (`by_port` → `--by-port`); `flags` adds letters (`-v`). The type is
    the default's: bool makes a switch, int and float are checked, str is taken as it is, or must be
    one of `choices` when it is given at all.
    """
    return field(default=default, metadata={"help": help, "flags": flags, "choices": choices})


class Reporter(Protocol):
    """What logs and summaries have in common."""

    probes: ClassVar[tuple[str, ...]]  # names in batches.probes.PROBES

    @property
    def schema(self) -> Schema:
        """Columns and layout; they may depend on the options."""

    @property
    def needs_frames(self) -> bool:
        """What is in the packets is wanted, layer by layer, below the rows."""


@runtime_checkable
class LogReporter(Reporter, Protocol):
    """Law: the parts' rows in order are the whole's rows."""

    def rows(self, batch: ProbeBatch) -> Table:
        """The rows of a batch: it has probes of `probes` alone, one at least."""


@runtime_checkable
class SummaryReporter(Reporter, Protocol):
    """A reporter that accumulates.

    Laws: a new one is the identity of merge; merge is associative; a stream observed whole equals
    any split of it, merged; pickling changes nothing; `report` changes nothing.
    """

    max_keys: int

    def observe(self, batch: ProbeBatch) -> None:
        """Take a batch in: it has probes of `probes` alone, one at least."""

    def merge(self, other: Self) -> None:
        """Take in what another of the same options has observed after this one."""

    def report(self) -> Report:
        """What is known so far, in the order it is to be printed."""


@runtime_checkable
class WatchedReporter(SummaryReporter, Protocol):
    """A summary that is looked at as it changes: live it has intervals without being asked."""

    interval_seconds: ClassVar[float]  # how long they are then

    @property
    def in_place(self) -> bool:
        """On a terminal, each report shall take the place of the one before."""
