"""Lines on standard error."""

from __future__ import annotations

import pytest

from tcpsnoop.cli.telling import tell


def test_nothing_in_a_line_moves_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell("name \x1b[2J\n\u202e of a file")
    captured = capsys.readouterr()
    assert captured.err == "name \\x1b[2J\\n\\u202e of a file\n"
    assert captured.out == ""
