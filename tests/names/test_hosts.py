"""Hosts tables: their format, their order, and names that may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpsnoop.batches.addresses import halves
from tcpsnoop.errors import UsageError
from tcpsnoop.names.hosts import host_tables, parse_hosts, read_hosts, usable_name

TABLE = """\
# comment
127.0.0.1\tlocalhost loopback
::1 localhost   # and a comment
fe80::214:4fff:fe3b:76c8 marlin6

192.168.2.1 marlin marlin.example # first name counts
192.168.2.1 second
192.168.2.2
not-an-address name
fe80::1%eth0 router
"""


def test_lines_of_a_hosts_table() -> None:
    assert parse_hosts(TABLE.splitlines()) == {
        halves("127.0.0.1"): "localhost",
        halves("::1"): "localhost",
        halves("fe80::214:4fff:fe3b:76c8"): "marlin6",
        halves("192.168.2.1"): "marlin",
        halves("fe80::1"): "router",
    }


def test_a_mapped_address_is_the_ipv4_address() -> None:
    assert parse_hosts(["::ffff:10.0.0.1 bass"]) == {halves("10.0.0.1"): "bass"}


def test_a_file_in_any_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(b"10.0.0.1 caf\xe9\n10.0.0.2 bass\n")
    assert read_hosts(path)[halves("10.0.0.2")] == "bass"


def test_a_file_that_cannot_be_read_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read hosts file .*absent: No such file"):
        read_hosts(tmp_path / "absent")
    with pytest.raises(UsageError, match="Is a directory"):
        read_hosts(tmp_path)


def test_the_users_table_counts_first_then_the_captures_then_the_systems(tmp_path: Path) -> None:
    system = tmp_path / "hosts"
    system.write_text("10.0.0.1 system\n10.0.0.2 system\n10.0.0.3 system\n")
    one, two, three, four = (halves(f"10.0.0.{number}") for number in range(1, 5))
    recorded = {one: "capture", two: "capture"}
    hosts = host_tables({one: "user"}, recorded, system)
    assert [hosts[address] for address in (one, two, three)] == ["user", "capture", "system"]
    recorded[four] = "capture"  # a block that was read later
    assert hosts[four] == "capture"


def test_a_system_without_a_table_has_no_names(tmp_path: Path) -> None:
    assert dict(host_tables({}, {}, tmp_path / "absent")) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bass.example.org.", "bass.example.org"),
        ("bass", "bass"),
        ("müller.example", "müller.example"),
        ("x" * 253, "x" * 253),
        ("x" * 254, None),
        ("", None),
        (".", None),
        ("10.0.0.1", None),
        ("::1", None),
        ("a b", None),
        ("a\x1b[2J", None),
        ("a\nb", None),
        ("caf\udce9", None),
    ],
)
def test_names_that_may_be_shown(text: str, name: str | None) -> None:
    assert usable_name(text) == name
