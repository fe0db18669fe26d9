"""`size`: the histograms of tcpsize, their order, what is counted and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.size import Size
from tests.probe_batches import batch_of, row
from tests.reporters.rendering import dictionaries, text

CAPTURES = Path(__file__).resolve().parents[2] / "captures"

TWO_HOSTS = """\
  2001:db8::1                                            80

           value  ------------- Distribution ------------- count    
              -1 |                                         0        
               0 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 2        
               1 |                                         0        

  192.168.1.109                                          22

           value  ------------- Distribution ------------- count    
              -1 |                                         0        
               0 |@@@@@@@@@@                               1        
               1 |                                         0        
               2 |                                         0        
               4 |                                         0        
               8 |                                         0        
              16 |                                         0        
              32 |@@@@@@@@@@                               1        
              64 |                                         0        
             128 |                                         0        
             256 |                                         0        
             512 |                                         0        
            1024 |@@@@@@@@@@@@@@@@@@@@                     2        
            2048 |                                         0        
"""  # noqa: W291 - trailing blanks are part of the layout


def segment(size: int, remote: str, *, port: int = 80, **fields: int) -> dict[str, Any]:
    probe = "send" if size % 2 else "receive"
    return row(probe, f"10.0.0.1 {port}", f"{remote} 50000", bytes=size, **fields)


def observed(*rows: dict[str, Any], **options: Any) -> Size:
    reporter = Size(**options)
    reporter.observe(batch_of(rows))
    return reporter


def test_the_histograms_are_those_of_quantize_by_remote_and_local_port() -> None:
    reporter = observed(
        *(segment(size, "192.168.1.109", port=22) for size in (1448, 0, 36, 1025)),
        *(segment(0, "2001:db8::1") for _ in range(2)),
    )
    assert text(reporter.report()) == TWO_HOSTS


def test_machines_get_sums_and_extremes_too() -> None:
    reporter = observed(*(segment(size, "9.9.9.9") for size in (3, 2, 7, 1460, 5)))
    assert dictionaries(reporter.report().table) == [
        {
            "raddr": "9.9.9.9",
            "hostname": None,
            "lport": 80,
            "service": None,
            "count": 5,
            "sum": 1477,
            "min": 2,
            "max": 1460,
            "buckets": [[2, 2], [4, 2], [1024, 1]],
        }
    ]


def test_histograms_ascend_by_bucket_times_count_then_by_empty_ones_then_by_address() -> None:
    rows = [
        segment(8, "9.9.9.1"),  # 8
        segment(15, "9.9.9.2"),  # 8 too: its bucket is that of 8
        segment(0, "9.9.9.2"),
        segment(7, "9.9.9.3"),  # 4
        segment(0, "9.9.9.10"),
        segment(0, "9.9.9.9"),
        segment(0, "9.9.9.9"),
    ]
    found = [each["raddr"] for each in dictionaries(observed(*rows).report().table)]
    assert found == ["9.9.9.10", "9.9.9.9", "9.9.9.3", "9.9.9.1", "9.9.9.2"]


def test_copies_of_frames_and_unknown_lengths_are_not_counted() -> None:
    known = segment(4, "9.9.9.9")
    reporter = observed(known, known, known | {"duplicate": 1}, known | {"bytes": -1})
    (found,) = dictionaries(reporter.report().table)
    assert (found["count"], found["buckets"]) == (2, [[4, 2]])
    assert reporter.report().notes == ("1 segment of unknown length not counted",)


def test_beyond_the_cap_the_rest_is_one_histogram() -> None:
    report = observed(*(segment(1, f"9.9.9.{n}") for n in range(5)), max_keys=2).report()
    rows = dictionaries(report.table)
    assert [(each["hostname"], each["count"]) for each in rows] == [
        (None, 1),
        (None, 1),
        ("(other)", 3),
    ]
    assert "--max-keys" in report.notes[0]


def test_the_loggers_lines_are_a_segment_each() -> None:
    """61 lines of 60 bytes; empty are their ACKs, the three of the handshake, four to close."""
    (logger,) = [each for each in replay(Size(), CAPTURES / "service.pcap") if each["lport"] == 514]
    assert logger["raddr"] == "192.0.2.33"
    assert (logger["count"], logger["sum"], logger["max"]) == (3 + 61 + 61 + 4, 61 * 60, 60)
    assert logger["buckets"] == [[0, 68], [32, 61]]


def test_every_segment_is_in_one_histogram() -> None:
    truth = json.loads((CAPTURES / "MANIFEST.json").read_text())["service.pcap"]
    rows = replay(Size(), CAPTURES / "service.pcap")
    assert sum(each["count"] for each in rows) == truth["tcp_segments"]
    assert sum(each["sum"] for each in rows) == truth["payload_bytes"]
