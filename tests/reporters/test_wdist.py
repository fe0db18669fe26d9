"""`wdist`: the histograms of the specification, whose writes they are, sums and extremes."""

from __future__ import annotations

from typing import Any

from tcpsnoop.batches.owners import (
    EXACT,
    HOLDER,
    LISTENER,
    NOT_ASKED,
    SHARED,
    UNKNOWN,
    Owner,
    Process,
)
from tcpsnoop.batches.probes import ORIGINATOR, RESPONDER
from tcpsnoop.reporters.wdist import Wdist
from tests.fixture_types import Capture, RunTcpsnoop
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

FINGER = """\
 PID: -      CMD: 192.168.1.109 -> *:79

           value  ------------- Distribution ------------- count    
               1 |                                         0        
               2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1        
               4 |                                         0        

 PID: -      CMD: 192.168.1.185:79

           value  ------------- Distribution ------------- count    
              32 |                                         0        
              64 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1        
             128 |                                         0        
"""  # noqa: W291 - trailing blanks are part of the layout

SERVER, CLIENT = "192.168.1.185 79", "192.168.1.109 56145"
SSHD = Process(100, 1, "sshd", "sshd: user [priv]")
FORK = Process(101, 2, "sshd", "sshd: user@pts/0")


def write(size: int, *, server: bool = True, **fields: int) -> dict[str, Any]:
    """A write of the server or of its client."""
    if server:
        return row("write", SERVER, CLIENT, bytes=size, end=RESPONDER, **fields)
    return row("write", CLIENT, SERVER, bytes=size, end=ORIGINATOR, **fields)


def observed(rows: list[dict[str, Any]], owners: list[Owner] | None = None) -> Wdist:
    reporter = Wdist()
    reporter.observe(batch_of(rows, owners or []))
    return reporter


def rows_of(reporter: Wdist) -> list[dict[str, Any]]:
    return dictionaries(reporter.report().table)


def test_the_finger_session_of_the_specification() -> None:
    assert text(observed([write(126), write(2, server=False)]).report()) == FINGER


def test_the_program_prints_the_finger_session(run_tcpsnoop: RunTcpsnoop, capture: Capture) -> None:
    done = run_tcpsnoop("wdist", "-n", "-r", capture("finger.pcap"))
    assert (done.returncode, done.stdout) == (0, FINGER)


def test_an_unknown_process_is_told_apart_by_address_port_and_role() -> None:
    sizes = [0, 1, 1, 5, 7, 1024]
    (found,) = rows_of(observed([write(size) for size in sizes]))
    assert found == {
        "pid": None,
        "command": None,
        "command_line": None,
        "laddr": "192.168.1.185",
        "port": 79,
        "role": "responder",
        "count": 6,
        "sum": 1038,
        "min": 0,
        "max": 1024,
        "buckets": [[0, 1], [1, 2], [4, 2], [1024, 1]],
        "method": "psh",
        "attribution": "unknown",
        "reason": "not recorded",
        "holders": None,
    }


def test_the_port_is_the_responders_for_both_roles() -> None:
    found = rows_of(observed([write(1), write(2, server=False)]))
    assert [(each["laddr"], each["port"], each["role"]) for each in found] == [
        ("192.168.1.185", 79, "responder"),
        ("192.168.1.109", 79, "originator"),
    ]


def test_ipv6_writers_have_brackets_where_a_port_follows() -> None:
    server = row("write", "2001:db8::1 79", "2001:db8::2 5000", bytes=1, end=RESPONDER)
    client = row("write", "2001:db8::2 5000", "2001:db8::1 79", bytes=2, end=ORIGINATOR)
    heads = [
        line
        for line in text(observed([server, client]).report()).splitlines()
        if line.startswith(" PID")
    ]
    assert heads == [
        " PID: -      CMD: [2001:db8::1]:79",
        " PID: -      CMD: 2001:db8::2 -> *:79",
    ]


def test_a_process_is_one_row_whatever_its_sockets() -> None:
    one, two = Owner(HOLDER, SSHD), Owner(HOLDER, FORK)
    reporter = observed([write(8), write(9, server=False), write(1)], [one, one, two])
    found = [(each["pid"], each["command_line"], each["count"]) for each in rows_of(reporter)]
    assert found == [(101, "sshd: user@pts/0", 1), (100, "sshd: user [priv]", 2)]
    assert [each["laddr"] for each in rows_of(reporter)] == [None, None]
    assert " PID: 100    CMD: sshd: user [priv]\n" in text(reporter.report())


def test_a_number_used_again_is_another_process() -> None:
    again = Process(SSHD.pid, 9, "cron", "cron -f")
    reporter = observed([write(1), write(2)], [Owner(HOLDER, SSHD), Owner(HOLDER, again)])
    assert [(each["pid"], each["command"]) for each in rows_of(reporter)] == [
        (100, "sshd"),
        (100, "cron"),
    ]


def test_a_command_line_that_was_not_read_is_the_command_in_brackets() -> None:
    (found,) = rows_of(observed([write(1)], [Owner(HOLDER, Process(5, 1, "kworker"))]))
    assert (found["command"], found["command_line"]) == ("kworker", "[kworker]")


def test_shared_sockets_are_one_row_for_the_same_holders_in_any_order() -> None:
    owners = [Owner(SHARED, holders=(SSHD, FORK)), Owner(SHARED, holders=(FORK, SSHD))]
    reporter = observed([write(1), write(2)], owners)
    (found,) = rows_of(reporter)
    assert (found["pid"], found["command"], found["laddr"]) == (None, None, None)
    assert found["holders"] == [[100, "sshd"], [101, "sshd"]]
    assert (found["attribution"], found["count"]) == ("shared", 2)
    assert text(reporter.report()).startswith(" PID: -      CMD: sshd (100), sshd (101)\n")


def test_attribution_is_that_of_the_weakest_and_reasons_are_all_told() -> None:
    known = [Owner(EXACT, SSHD), Owner(LISTENER, SSHD), Owner(HOLDER, SSHD)]
    (found,) = rows_of(observed([write(1)] * 3, known))
    assert (found["attribution"], found["reason"]) == ("listener", None)
    unknown = [Owner(UNKNOWN, reason="no permission"), Owner(UNKNOWN, reason="gone")] * 2
    (found,) = rows_of(observed([write(1)] * 4, unknown))
    assert (found["attribution"], found["reason"]) == ("unknown", "gone, no permission")


def test_the_latest_command_line_of_a_process_counts() -> None:
    shell = Process(7, 1, "sh", "sh -c server")
    server = Process(7, 1, "server", "server --port 79")
    first = observed([write(1)], [Owner(HOLDER, shell)])
    first.merge(observed([write(1)], [Owner(HOLDER, server)]))
    (found,) = rows_of(first)
    assert (found["command"], found["command_line"]) == ("server", "server --port 79")


def test_histograms_ascend_by_the_sum_of_bucket_times_count() -> None:
    """Not by their sums: 63 and 63 are two in bucket 32, less than one in bucket 128."""
    client = [write(63, server=False), write(63, server=False)]
    assert [each["sum"] for each in rows_of(observed([write(128), *client]))] == [126, 128]
    client = [write(128, server=False)]
    assert [each["sum"] for each in rows_of(observed([write(127), write(127), *client]))] == [
        128,  # one in bucket 128, and before the two of bucket 64 by its address
        254,
    ]


def test_reasons_of_both_sides_survive_merging() -> None:
    first = observed([write(1)], [Owner(UNKNOWN, reason="gone")])
    second = observed(
        [write(1), write(1)],
        [Owner(UNKNOWN, reason="no time"), Owner(UNKNOWN, reason="not visible")],
    )
    first.merge(second)
    (found,) = rows_of(first)
    assert (found["count"], found["reason"]) == (3, "gone, no time, not visible")


def test_beyond_the_cap_the_others_are_one_histogram() -> None:
    reporter = Wdist(max_keys=2)
    rows = [row("write", f"10.0.0.{n} 80", "10.1.0.1 5", bytes=n, end=1) for n in range(1, 6)]
    reporter.observe(batch_of(rows))
    report = reporter.report()
    found = dictionaries(report.table)
    assert [each["count"] for each in found] == [1, 1, 3]
    assert sum(each["sum"] for each in found) == 15
    assert (found[-1]["laddr"], found[-1]["role"], found[-1]["pid"]) == (None, None, None)
    assert " PID: -      CMD: (other)\n" in text(report)
    assert report.notes[1:] == (
        "more than 2 keys (--max-keys): what the others have is in (other)",
    )


def test_people_are_told_the_method_without_a_change_of_the_layout() -> None:
    """The layout of SEMANTICS 13 has no room for it; a head says it where there are both."""
    call = row("application-write", SERVER, CLIENT, bytes=3)
    known, other = Owner(EXACT, SSHD), Owner(HOLDER, FORK)
    reports = [
        observed(*each).report()
        for each in (
            ([write(2)], [known]),
            ([call], [known]),
            ([call, write(2), write(1), write(9, server=False)], [known, known, other, NOT_ASKED]),
        )
    ]
    assert [len(report.notes) for report in reports] == [1, 1, 1]
    notes = [report.notes[0] for report in reports]
    assert notes[0].startswith("method psh")
    assert [note.startswith("method exact") for note in notes] == [False, True, True]
    assert ["psh" in note for note in notes] == [True, False, True]
    heads = [
        [line for line in text(report).splitlines() if line.startswith(" PID")]
        for report in reports
    ]
    assert heads == [
        [" PID: 100    CMD: sshd: user [priv]"],
        [" PID: 100    CMD: sshd: user [priv]"],
        [
            " PID: 101    CMD: sshd: user@pts/0 (psh)",
            " PID: 100    CMD: sshd: user [priv] (psh)",
            " PID: 100    CMD: sshd: user [priv]",
            " PID: -      CMD: 192.168.1.109 -> *:79 (psh)",
        ],
    ]
    assert [each["method"] for each in dictionaries(reports[2].table)] == [
        "psh",
        "psh",
        "exact",
        "psh",
    ]


def test_nothing_is_no_output() -> None:
    assert text(Wdist().report()) == ""
