"""Tables and reports as text and as dictionaries, by the program's own renderers."""

from __future__ import annotations

import json
from typing import Any

from tcpsnoop.interfaces.renderer import RenderOptions
from tcpsnoop.renderers.jsonl import Jsonl
from tcpsnoop.renderers.text import Text
from tcpsnoop.report import Report, Table


def text(report: Report) -> str:
    """The report as people see it."""
    return b"".join(Text(RenderOptions()).report(report)).decode()


def dictionaries(table: Table) -> list[dict[str, Any]]:
    """The rows as machines read them."""
    lines = b"".join(Jsonl(RenderOptions()).rows(table)).splitlines()
    return [json.loads(line) for line in lines]
