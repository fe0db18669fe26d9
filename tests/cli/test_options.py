"""Each option of the table, in whole runs over files: what it changes and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.cli.made import ANSWER, REQUEST, SEGMENTS, visit, write
from tests.fixture_types import Capture, RunTcpsnoop
from tests.oracle import observe

FIELDS = {
    "io": "packet time laddr lport direction raddr rport bytes flags pid command",
    "accept": "raddr hostname lport service count",
    "connect": "raddr hostname rport service count",
    "wdist": "pid command command_line laddr port role count sum min max buckets method",
    "life": "time pid command uid laddr lport raddr rport role tx_bytes rx_bytes tx_segments "
    "rx_segments retransmitted_bytes duration_seconds state end_reason",
    "watch": "time event pid command laddr lport raddr rport end_reason",
    "states": "time connection pid command laddr lport raddr rport role old_state new_state "
    "old_state_seconds",
    "retrans": "packet time pid command laddr lport raddr rport state kind sequence bytes "
    "retransmitted_bytes",
    "connlat": "time pid command laddr lport raddr rport result latency_seconds retries",
    "refused": "time pid command laddr lport raddr rport role cause icmp icmp_sender ttl "
    "ttl_before retries elapsed_seconds",
}
"""The fields of the machine formats, in their order, as the specification has them."""

WITH_PROCESS = ("io", "wdist", "life", "watch", "states", "retrans", "connlat", "refused")
# What has rows of each report: most have of any connection.
SHOWN_BY = {"retrans": "loss.pcap", "refused": "failures.pcap"}
ATTRIBUTION = "attribution reason holders"


def rows(done: CompletedProcess[str]) -> list[dict[str, Any]]:
    """The rows of a run with --format jsonl."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def refusal(done: CompletedProcess[str]) -> str:
    """The one line of a run that was not started."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tcpsnoop: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_count_stops_after_packets_that_passed_the_filter(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    file = capture("accepts.pcap")
    done = run_program("io", "-n", "--format", "jsonl", "-c", "5", "tcp port 79", "-r", file)
    of_port = [
        each.packet
        for each in observe(file.read_bytes())
        if each.segment and 79 in (each.segment.source_port, each.segment.destination_port)
    ]
    assert [row["packet"] for row in rows(done)] == of_port[:5]
    assert f"{of_port[4]} packets read, 5 passed the filter, 5 TCP\n" in done.stderr


def test_count_counts_packets_that_are_not_tcp(run_program: RunTcpsnoop, capture: Capture) -> None:
    file = capture("verdicts.pcap")
    observed = list(observe(file.read_bytes()))
    for last in (each.packet for each in observed if each.verdict != "tcp"):
        if any(each.segment for each in observed[:last]):
            break
    done = run_program("io", "-n", "--format", "jsonl", "-c", str(last), "-r", file)
    expected = [each.packet for each in observed[:last] if each.segment]
    assert [row["packet"] for row in rows(done)] == expected


def test_duration_is_of_capture_time(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    file = write(
        tmp_path / "two.pcap", visit(0), visit(1.9, client_port=2), visit(2, client_port=3)
    )
    done = run_program("accept", "-n", "--format", "jsonl", "-d", "1.95", "-r", file)
    assert [row["count"] for row in rows(done)] == [2]


def test_intervals_of_a_file_follow_capture_time(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    starts = (0.25, 1.2, 3.75, 4.0)
    visits = [visit(at, client_port=1000 + number) for number, at in enumerate(starts)]
    file = write(tmp_path / "intervals.pcap", *visits)
    done = run_program("accept", "-n", "--interval", "1", "-r", file)
    header = f"   {'HOSTNAME':<26} {'PORT':<8} {'COUNT':>8}\n"

    def block(second: int, count: int, mark: str = "") -> str:
        row = f"   {'192.0.2.10':<26} {'8080':<8} {count:>8}\n"
        return f"2006-08-01T12:00:0{second}.250000Z{mark}\n{header}{row}"

    # Aligned to the first packet: [0.25, 1.25), then one without rows, then [3.25, 4.25).
    assert done.stdout == f"{block(0, 2)}\n{block(3, 2, ' partial')}"
    machine = run_program("accept", "-n", "--format", "jsonl", "--interval", "1", "-r", file)
    assert [(row["interval"], row["count"]) for row in rows(machine)] == [
        ("2006-08-01T12:00:00.250000Z", 2),
        ("2006-08-01T12:00:03.250000Z", 2),
    ]


def test_so_many_intervals_of_a_file_and_no_more(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    starts = (0.25, 1.2, 1.5, 2.3, 4.0)
    visits = [visit(at, client_port=1000 + number) for number, at in enumerate(starts)]
    file = write(tmp_path / "intervals.pcap", *visits)
    form = ("accept", "-n", "--interval", "1", "-r", file)
    done = run_program(*form, "--intervals", "2")
    # Both are whole, as the capture went on.
    assert [line for line in done.stdout.splitlines() if "Z" in line] == [
        "2006-08-01T12:00:00.250000Z",
        "2006-08-01T12:00:01.250000Z",
    ]
    machine = run_program(*form, "--format", "jsonl", "--intervals", "3")
    assert [row["count"] for row in rows(machine)] == [2, 1, 1]
    sooner = run_program(*form, "--format", "jsonl", "--intervals", "3", "-d", "1")
    assert [row["count"] for row in rows(sooner)] == [2]


@pytest.mark.parametrize("given", ["192.168.1.109", "192.168.1.104/29"])
def test_local_addresses_stand_at_the_left(
    run_program: RunTcpsnoop, capture: Capture, given: str
) -> None:
    done = run_program("io", "-n", "--local", given, "-r", capture("finger.pcap"))
    lines = done.stdout.splitlines()
    assert lines[1] == "   192.168.1.109:56145  ->    192.168.1.185:79         0 (SYN)"
    assert len(lines) == 12
    assert "local side by --local: 1 connection\n" in done.stderr


def test_local_that_is_no_address_is_refused(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("io", "--local", "here", "-r", capture("finger.pcap"))
    assert "--local here" in refusal(done)


def test_top_keeps_the_largest_in_the_order_of_the_report(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    file = capture("accepts.pcap")
    every = run_program("accept", "-n", "-r", file).stdout.splitlines()
    best = run_program("accept", "-n", "--top", "2", "-r", file).stdout.splitlines()
    assert best == [every[0], *every[-2:]]
    assert [line.split()[-1] for line in best[1:]] == ["2", "3"]


def test_sort_orders_by_a_field(run_program: RunTcpsnoop, capture: Capture) -> None:
    words = ("accept", "-n", "--format", "jsonl", "-r", capture("accepts.pcap"))
    by_port = [row["lport"] for row in rows(run_program(*words, "--sort", "lport"))]
    assert by_port == sorted(by_port)
    assert len(by_port) == 5
    last = rows(run_program(*words, "--sort", "lport", "--top", "2"))
    assert [row["lport"] for row in last] == by_port[-2:]


def test_sort_takes_names_of_hosts_and_services(run_program: RunTcpsnoop, capture: Capture) -> None:
    words = ("accept", "--hosts", capture("accepts.hosts"), "--format", "jsonl")
    for field in ("hostname", "service"):
        done = run_program(*words, "--sort", field, "-r", capture("accepts.pcap"))
        names = [row[field] for row in rows(done)]
        assert names == sorted(names)
        assert len(set(names)) > 2


def test_sort_by_a_field_that_is_none_is_refused(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    done = run_program("accept", "--sort", "size", "-r", capture("accepts.pcap"))
    assert "count" in refusal(done)


@pytest.mark.parametrize(("option", "value"), [("--interval", "1"), ("--top", "1")])
def test_a_log_has_no_intervals_and_no_top(
    run_program: RunTcpsnoop, capture: Capture, option: str, value: str
) -> None:
    done = run_program("io", option, value, "-r", capture("finger.pcap"))
    assert f"{option}: io is a log" in refusal(done)


def test_connections_beyond_the_most_are_forgotten_and_told(
    run_program: RunTcpsnoop, tmp_path: Path
) -> None:
    # Open at once, one after the other: each handshake is whole before the next begins.
    visits = [visit(at, client_port=1000 + at, segments=5) for at in range(7)]
    file = write(tmp_path / "open.pcap", *visits)
    done = run_program("accept", "-n", "--format", "jsonl", "--max-connections", "3", "-r", file)
    assert [row["count"] for row in rows(done)] == [7]
    assert "4 connections forgotten before their end" in done.stderr


@pytest.mark.parametrize("report", list(FIELDS))
def test_machine_formats_have_the_same_fields_in_order(
    run_program: RunTcpsnoop, capture: Capture, report: str
) -> None:
    file = capture(SHOWN_BY.get(report, "finger.pcap"))
    named = FIELDS[report].split() + (ATTRIBUTION.split() if report in WITH_PROCESS else [])
    objects = rows(run_program(report, "-n", "--format", "jsonl", "-r", file))
    assert all(list(each) == named for each in objects)
    done = run_program(report, "-n", "--format", "csv", "-r", file)
    header, *lines = csv.reader(io.StringIO(done.stdout))
    assert header == named
    assert len(lines) == len(objects) > 0
    for line, each in zip(lines, objects, strict=True):
        for text, value in zip(line, each.values(), strict=True):
            expected = "" if value is None else value if isinstance(value, str) else None
            assert text == expected if expected is not None else json.loads(text) == value


def test_no_header_leaves_out_header_lines(run_program: RunTcpsnoop, capture: Capture) -> None:
    words = ("io", "-n", "-r", capture("finger.pcap"))
    for form in ("text", "csv"):
        plain = run_program(*words, "--format", form).stdout
        bare = run_program(*words, "--format", form, "--no-header").stdout
        assert bare == plain.split("\n", 1)[1]


def test_output_goes_to_a_file_that_is_not_overwritten_without_force(
    run_program: RunTcpsnoop, capture: Capture, tmp_path: Path
) -> None:
    file, words = tmp_path / "report", ("accept", "-n", "-r", capture("accepts.pcap"))
    expected = run_program(*words).stdout
    done = run_program(*words, "-o", file)
    assert (done.returncode, done.stdout, file.read_text()) == (0, "", expected)
    file.write_text("mine" * 1000)
    again = run_program(*words, "-o", file)
    assert "--force" in refusal(again)
    assert file.read_text() == "mine" * 1000
    forced = run_program(*words, "-o", file, "--force")
    assert (forced.returncode, file.read_text()) == (0, expected)


def test_relative_times_count_from_the_first_packet_of_the_input(
    run_program: RunTcpsnoop, tmp_path: Path
) -> None:
    file = write(tmp_path / "two.pcap", visit(0.5, port=80), visit(2.25, port=8080, segments=2))
    done = run_program("io", "-n", "-t", "--no-header", "-r", file, "tcp port 8080")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1.750000", "1.751000"]


@pytest.mark.parametrize(
    ("zone", "name", "expected"),
    [
        ("UTC", "finger.pcap", "12:00:00.000200"),
        ("Europe/Berlin", "finger.pcap", "14:00:00.000200"),
        ("XYZ-05:30", "finger.pcap", "17:30:00.000200"),
        ("UTC", "nanoseconds.pcap", "12:00:00.000200123"),
    ],
)
def test_times_of_day_are_local_with_the_digits_of_the_source(
    run_program: RunTcpsnoop, capture: Capture, zone: str, name: str, expected: str
) -> None:
    words = ("io", "-n", "-T", "-c", "1", "--no-header", "-r", capture(name))
    done = run_program(*words, environment={"TZ": zone})
    assert done.stdout.split()[0] == expected


def test_one_kind_of_time_at_once(run_program: RunTcpsnoop, capture: Capture) -> None:
    assert "-T" in refusal(run_program("io", "-t", "-T", "-r", capture("finger.pcap")))


def test_quiet_tells_nothing(run_program: RunTcpsnoop, capture: Capture) -> None:
    done = run_program("io", "-q", "-r", capture("finger.pcap"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_several_files_are_one_input_by_time(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    late = write(tmp_path / "late", visit(0.004, port=80), visit(9, port=81, segments=2))
    early = write(tmp_path / "early", visit(0, port=443))
    done = run_program("io", "-n", "--format", "jsonl", "-r", late, "-r", early)
    found = [(row["file"], row["packet"], row["lport"]) for row in rows(done)]
    of = {str(late): [row for row in found if row[0] == str(late)]}
    assert of[str(late)] == [(str(late), n, 80 if n <= SEGMENTS else 81) for n in range(1, 12)]
    assert [row[2] for row in found[:7]] == [443, 443, 443, 443, 443, 80, 443]
    times = [row["time"] for row in rows(done)]
    assert times == sorted(times)
    assert len(found) == 2 * SEGMENTS + 2


def test_standard_input_is_read_alone(run_program: RunTcpsnoop, capture: Capture) -> None:
    file = capture("finger.pcap")
    expected = run_program("io", "-n", "-r", file).stdout
    for given in (file, file.read_bytes()):
        assert run_program("io", "-n", "-r", "-", stdin=given).stdout == expected
    done = run_program("io", "-r", "-", "-r", file, stdin=file)
    assert "standard input" in refusal(done)


def test_several_reports_come_from_one_reading(run_program: RunTcpsnoop, capture: Capture) -> None:
    file = capture("accepts.pcap")
    names = ("io", "accept", "wdist")
    alone = [run_program(name, "-n", "-r", file).stdout for name in names]
    together = run_program(",".join(names), "-n", "-r", "-", stdin=file)
    assert together.stdout == "\n".join(alone)
    machine = rows(run_program(",".join(names), "-n", "--format", "jsonl", "-r", file))
    parts = [rows(run_program(name, "-n", "--format", "jsonl", "-r", file)) for name in names]
    expected = [
        {"report": name} | row for name, part in zip(names, parts, strict=True) for row in part
    ]
    assert machine == expected
    assert all(next(iter(row)) == "report" for row in machine)


def test_filter_words_and_options_mix(run_program: RunTcpsnoop, capture: Capture) -> None:
    file = str(capture("accepts.pcap"))
    expected = run_program("accept", "-n", "-r", file, "tcp port 79 and net 192.168.1.0/24")
    assert len(expected.stdout.splitlines()) == 2
    for words in (
        ["accept", "tcp", "port", "79", "-n", "and", "net", "192.168.1.0/24", "-r", file],
        ["accept", "tcp", "-r", file, "port", "79", "-n", "and net 192.168.1.0/24"],
        ["accept", "(tcp", "port", "79)", "and", "net", "192.168.1.0/24", f"-r{file}", "-n"],
    ):
        assert run_program(*words).stdout == expected.stdout


def test_wrong_filters_are_refused(run_program: RunTcpsnoop, capture: Capture) -> None:
    for words in ("tcp prot 80", "inbound", "host", "ifname eth0"):
        assert "filter" in refusal(run_program("io", "-r", capture("finger.pcap"), words))


def test_a_filter_does_not_look_behind_vlan_tags_and_says_so(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    done = run_program("io", "-n", "-r", capture("vlan.pcap"), "tcp")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "VLAN" in done.stderr
    whole = run_program("io", "-n", "-r", capture("vlan.pcap"), "vlan and tcp")
    assert len(whole.stdout.splitlines()) > 1


def test_names_come_from_the_table_of_hosts(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    file = write(tmp_path / "one.pcap", visit(0, port=22))
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.10 bert\n198.51.100.20 ernie\n")
    words = ("--format", "jsonl", "--hosts", hosts, "-r", file)
    (accepted,) = rows(run_program("accept", *words))
    assert (accepted["raddr"], accepted["hostname"]) == ("192.0.2.10", "bert")
    assert (accepted["lport"], accepted["service"]) == (22, "ssh")
    (connected,) = rows(run_program("connect", *words))
    assert (connected["raddr"], connected["hostname"]) == ("198.51.100.20", "ernie")
    (numeric,) = rows(run_program("accept", *words, "-n"))
    assert (numeric["hostname"], numeric["service"]) == (None, None)


def test_a_table_of_hosts_that_is_not_there_is_refused(
    run_program: RunTcpsnoop, capture: Capture
) -> None:
    done = run_program("accept", "--hosts", "no/such", "-r", capture("finger.pcap"))
    assert "no/such" in refusal(done)


def test_writes_are_summed_by_end(run_program: RunTcpsnoop, tmp_path: Path) -> None:
    file = write(tmp_path / "three.pcap", *(visit(at, client_port=9 + at) for at in range(3)))
    found = rows(run_program("wdist", "-n", "--format", "jsonl", "-r", file))
    assert [(row["role"], row["count"], row["sum"]) for row in found] == [
        ("originator", 3, 3 * REQUEST),
        ("responder", 3, 3 * ANSWER),
    ]
