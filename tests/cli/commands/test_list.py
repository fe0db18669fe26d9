"""`tcpsnoop list`: reports, probes with their fields, interfaces."""

from __future__ import annotations

import pytest

from tcpsnoop import registry
from tcpsnoop.batches.probes import COMMON_FIELDS, PROBES
from tcpsnoop.cli.commands import list as command
from tcpsnoop.engine import catalogue
from tcpsnoop.errors import UsageError


def listed(*words: str) -> list[str]:
    lines: list[str] = []
    assert command.run(list(words), lines.append) == 0
    return lines


def test_reports_with_their_summaries() -> None:
    expected = [
        f"{name:<16} {registry.summary(registry.REPORTERS, name)}"
        for name in registry.names(registry.REPORTERS)
    ]
    assert listed("reports") == expected
    assert len(expected) >= 4


def test_probes_in_the_order_of_their_table() -> None:
    lines = listed("probes")
    assert [line.split()[0] for line in lines] == list(PROBES)
    assert "accept-established   the originator's first segment with ACK" in "\n".join(lines)


@pytest.mark.parametrize("words", [("probes", "-v"), ("-v", "probes")])
def test_probes_with_their_fields(words: tuple[str, ...]) -> None:
    lines = listed(*words)
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")] == [
        *PROBES,
        "every",
    ]
    fields = [line.split()[0] for line in lines if line.startswith("    ")]
    own = [field.name for probe in PROBES.values() for field in probe.fields]
    assert fields == own + [field.name for field in COMMON_FIELDS]


def test_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "interfaces", lambda: iter(["lo", "eth0"]))
    assert listed("interfaces") == ["lo", "eth0"]


@pytest.mark.parametrize("words", [[], ["nothing"], ["reports", "probes"]])
def test_wrong_words_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match="see tcpsnoop list --help"):
        command.run(words, print)
