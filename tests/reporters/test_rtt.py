"""`rtt`: methods apart, quantiles, hosts and subnets, what options let through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpsnoop.batches.probes import RTT_METHODS
from tcpsnoop.engine.replay import replay
from tcpsnoop.errors import UsageError
from tcpsnoop.reporters.rtt import Rtt
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
MS = 1_000_000


def sample(method: str, elapsed_ns: int, remote: str = "9.9.9.9", port: int = 80) -> dict[str, Any]:
    kind = RTT_METHODS.index(method)
    ends = (f"10.0.0.1 {port}", f"{remote} 50000")
    return row("rtt-sample", *ends, kind=kind, elapsed_ns=elapsed_ns)


def observed(*rows: dict[str, Any], **options: Any) -> Rtt:
    reporter = Rtt(**options)
    reporter.observe(batch_of(rows))
    return reporter


def rows_of(reporter: Rtt) -> list[dict[str, Any]]:
    return dictionaries(reporter.report().table)


def test_methods_have_rows_of_their_own_in_their_order() -> None:
    rows = [sample(method, (number + 1) * MS) for number, method in enumerate(RTT_METHODS)]
    found = rows_of(observed(*rows[::-1], *rows))
    assert [(each["method"], each["count"], each["max_ns"]) for each in found] == [
        ("syn", 2, 1 * MS),
        ("synack", 2, 2 * MS),
        ("irtt", 2, 3 * MS),
        ("ack", 2, 4 * MS),
        ("timestamp", 2, 5 * MS),
    ]


def test_quantiles_are_nearest_ranks_within_1_percent() -> None:
    """Of 1 to 200 ms the 100th, 190th and 198th; the extremes exactly."""
    (found,) = rows_of(observed(*(sample("ack", ms * MS) for ms in range(1, 201))))
    assert (found["count"], found["min_ns"], found["max_ns"]) == (200, 1 * MS, 200 * MS)
    for name, ms in (("median_ns", 100), ("p95_ns", 190), ("p99_ns", 198)):
        assert found[name] == pytest.approx(ms * MS, rel=0.01)
    assert sum(count for _, count in found["buckets"]) == 200
    assert found["buckets"][0] == [524_288, 1]  # 1 ms
    assert found["buckets"][-1] == [134_217_728, 66]  # 135 to 200 ms


def test_the_text_is_in_milliseconds() -> None:
    rows = (sample("ack", 2 * MS), sample("irtt", 1_234_567))
    assert text(observed(*rows).report()) == (
        "METHOD      COUNT      MIN   MEDIAN      P95      P99      MAX (ms)\n"
        "irtt            1    1.235    1.235    1.235    1.235    1.235\n"
        "ack             1    2.000    2.000    2.000    2.000    2.000\n"
    )


def test_by_remote_the_slowest_host_of_a_method_is_its_last() -> None:
    rows = (
        sample("ack", 9 * MS, "10.9.9.9"),
        sample("ack", 1 * MS, "2001:db8::1"),
        sample("ack", 5 * MS, "8.8.8.8"),
        sample("syn", 99 * MS, "8.8.8.8"),
    )
    assert [
        (each["method"], each["address"]) for each in rows_of(observed(*rows, by="remote"))
    ] == [
        ("syn", "8.8.8.8"),
        ("ack", "2001:db8::1"),
        ("ack", "8.8.8.8"),
        ("ack", "10.9.9.9"),
    ]


def test_by_local_addresses_are_those_of_this_side() -> None:
    (found,) = rows_of(observed(sample("ack", 1), sample("ack", 2, "8.8.8.8"), by="local"))
    assert (found["address"], found["count"]) == ("10.0.0.1", 2)


def test_subnets_are_of_the_lengths_that_options_say() -> None:
    hosts = ("192.0.2.1", "192.0.2.255", "192.0.3.1", "2001:db8::1", "2001:db8::2:1", "2001:db9::1")
    rows = [sample("ack", MS, host) for host in hosts]
    found = {
        (each["address"], each["prefix"]): each["count"]
        for each in rows_of(observed(*rows, by="subnet"))
    }
    assert found == {
        ("192.0.2.0", 24): 2,
        ("192.0.3.0", 24): 1,
        ("2001:db8::", 64): 2,
        ("2001:db9::", 64): 1,
    }
    wider = observed(*rows, by="subnet", prefix=23, prefix6=31)
    assert {(each["address"], each["count"]) for each in rows_of(wider)} == {
        ("192.0.2.0", 3),
        ("2001:db8::", 3),
    }
    assert "\nack       192.0.2.0/23             3 " in text(wider.report())


def test_ipv6_prefixes_can_be_longer_than_half_an_address() -> None:
    rows = [sample("ack", MS, f"2001:db8::{end}") for end in ("1", "ff", "100")]
    found = rows_of(observed(*rows, by="subnet", prefix6=120))
    assert sorted((each["address"], each["count"]) for each in found) == [
        ("2001:db8::", 2),
        ("2001:db8::100", 1),
    ]


@pytest.mark.parametrize("options", [{"prefix": 33}, {"prefix": 0}, {"prefix6": 129}])
def test_a_prefix_that_no_address_has_is_refused(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(UsageError, match=f"--{name} "):
        Rtt(**options)


def test_options_choose_method_and_port() -> None:
    rows = (sample("ack", 1), sample("syn", 2), sample("ack", 3, port=443))
    assert [each["method"] for each in rows_of(observed(*rows, method="syn"))] == ["syn"]
    (found,) = rows_of(observed(*rows, method="ack", localport="443"))
    assert (found["count"], found["min_ns"]) == (1, 3)


def test_beyond_the_cap_each_method_has_an_other_of_its_own() -> None:
    rows = [sample(m, MS, f"9.9.9.{n}") for m in ("syn", "ack") for n in range(3)]
    report = observed(*rows, by="remote", max_keys=1).report()
    assert [
        (each["method"], each["hostname"], each["count"]) for each in dictionaries(report.table)
    ] == [
        ("syn", None, 1),
        ("syn", "(other)", 2),
        ("ack", None, 1),
        ("ack", "(other)", 2),
    ]
    assert "--max-keys" in report.notes[0]


def test_round_trips_of_the_service_are_those_of_the_manifest() -> None:
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["service.pcap"]["round_trips"]
    found = replay(Rtt(by="remote", method="ack"), CAPTURES / "service.pcap")
    assert {(each["address"], each["count"]) for each in found} == {
        (each["raddr"], each["count"]) for each in truth
    }
    expected = {each["raddr"]: each["ns"] for each in truth}
    for each in found:
        names = ("min_ns", "median_ns", "p95_ns", "p99_ns", "max_ns")
        assert {each[name] for name in names} == {expected[each["address"]]}


def test_the_handshakes_of_the_service() -> None:
    """SYN|ACK to ACK is the path; their sum has the server's 0.1 ms more."""
    found = replay(Rtt(by="remote"), CAPTURES / "service.pcap")
    paths_us = {"192.0.2.10": 2000, "192.0.2.33": 300, "203.0.113.25": 30000, "203.0.113.80": 80000}
    for method, more_us in (("synack", 0), ("irtt", 100)):
        mine = {each["address"]: each["max_ns"] for each in found if each["method"] == method}
        assert mine == {host: (us + more_us) * 1000 for host, us in paths_us.items()}
