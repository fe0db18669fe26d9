"""Numbers and layouts of tracepoints: read, left for others, and refused when not for this boot."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tcpsnoop.owners.tracing import formats
from tcpsnoop.owners.tracing.formats import (
    NEEDED,
    Tracepoint,
    TracingUnavailableError,
    from_tracefs,
    load_tracepoints,
    parse_format,
    read_tracepoints,
    save_tracepoints,
)

FORMAT = """\
name: inet_sock_set_state
ID: 2287
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;

\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;
\tfield:__data_loc char[] filename;\toffset:56;\tsize:4;\tsigned:0;

print fmt: "family=%s", REC->family
"""


def made() -> dict[str, Tracepoint]:
    return {
        name: Tracepoint(number, {field: (8 * at, 8) for at, field in enumerate(fields)})
        for number, (name, fields) in enumerate(NEEDED.items(), 500)
    }


def test_a_format_file_gives_number_offsets_and_sizes() -> None:
    assert parse_format(FORMAT) == Tracepoint(
        2287,
        {
            "common_type": (0, 2),
            "common_flags": (2, 1),
            "skaddr": (8, 8),
            "saddr_v6": (40, 16),
            "filename": (56, 4),
        },
    )


def test_what_is_saved_is_loaded_whole(tmp_path: Path) -> None:
    path = tmp_path / "run" / "tracepoints.json"
    save_tracepoints(made(), path)
    assert load_tracepoints(path) == made()
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["tracepoints.json"]
    assert read_tracepoints(path) == made()


def test_a_file_of_another_boot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tracepoints.json"
    save_tracepoints(made(), path)
    told = json.loads(path.read_text())
    told["boot_id"] = "11111111-2222-3333-4444-555555555555"
    path.write_text(json.dumps(told))
    with pytest.raises(TracingUnavailableError, match="another boot"):
        load_tracepoints(path)


def test_a_file_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tracepoints.json"
    save_tracepoints(made(), path)
    path.chmod(0o666)
    with pytest.raises(TracingUnavailableError, match="not root's alone"):
        load_tracepoints(path)


@pytest.mark.root
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tracepoints.json"
    save_tracepoints(made(), path)
    os.chown(path, 65534, 65534)
    with pytest.raises(TracingUnavailableError, match="not root's alone"):
        load_tracepoints(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"tracepoints": 3}', '{"tracepoints": {"a": {}}}']
)
def test_damage_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tracepoints.json"
    path.write_text(text)
    with pytest.raises(TracingUnavailableError, match="is damaged"):
        load_tracepoints(path)


def test_no_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TracingUnavailableError, match="owners --prepare"):
        load_tracepoints(tmp_path / "none")


def test_a_missing_field_or_tracepoint_is_named(tmp_path: Path) -> None:
    found = made()
    found["sock:sock_send_length"] = Tracepoint(1, {"common_type": (0, 2)})
    path = tmp_path / "tracepoints.json"
    save_tracepoints(found, path)
    with pytest.raises(TracingUnavailableError, match=r"sock:sock_send_length has no .*\bsk\b"):
        load_tracepoints(path)
    with pytest.raises(TracingUnavailableError, match="no tracepoint sock:inet_sock_set_state"):
        from_tracefs(tmp_path)


def test_without_tracefs_what_root_left_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "left.json"
    save_tracepoints(made(), path)
    monkeypatch.setattr(formats, "TRACEFS", (tmp_path / "none",))
    monkeypatch.setattr(formats, "LEFT_BY_ROOT", path)
    assert read_tracepoints() == made()
