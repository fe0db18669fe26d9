"""Pages of docs/: each benchmark has its section, between two comments."""

from __future__ import annotations

from pathlib import Path

_DOCS = Path(__file__).parent.parent / "docs"
PAGE = _DOCS / "performance.md"
# Benchmarks whose section is on the page of what they are about.
ELSEWHERE = {"attribution": _DOCS / "owners.md"}

SKELETON = """\
# Performance

`make bench` makes its captures, runs everything below and prints it; `python -m bench --write`
also puts it here. What stands between the `bench:` comments is written by that program and by
nobody else.

The captures are made with a fixed seed: one host, 2 000 peers, about 5 000 TCP connections open
at any time, each with handshake, data, acknowledgements and close, options and checksums as on a
real link, nothing lost or repeated. *Small packets* are frames of 66 to 100 bytes; in *full-size
packets* six of seven are 1 514 bytes long, the others acknowledgements and requests; *snap length
96* is the same cut at 96 bytes. The server ports are such that `tshark` decodes nothing above
TCP.

## Machine

That of the latest run; each section names the machine it was measured on. What is asked for are
ratios within one run, but even these differ from one processor to the next.

<!-- bench:machine -->
<!-- /bench:machine -->

## Speed

<!-- bench:speed -->
<!-- /bench:speed -->

## Reports

<!-- bench:reports -->
<!-- /bench:reports -->

## Memory

<!-- bench:memory -->
<!-- /bench:memory -->

## A stream without end

<!-- bench:stream -->
<!-- /bench:stream -->

## Start

<!-- bench:start -->
<!-- /bench:start -->

## Live

<!-- bench:live -->
<!-- /bench:live -->
"""


def with_section(page: str, name: str, text: str) -> str:
    """The page with this text between the marks of the name; ValueError when it has none."""
    opening, closing = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    before, found, rest = page.partition(opening)
    _, found_end, after = rest.partition(closing)
    if not found or not found_end:
        raise ValueError(f"no {opening} … {closing} in the page")
    return f"{before}{opening}\n{text.strip()}\n{closing}{after}"


def write_all(sections: dict[str, str]) -> None:
    """Put each text in its section of its page; that of the machine is for the first page."""
    here = {name: text for name, text in sections.items() if name not in ELSEWHERE}
    if here.keys() - {"machine"}:
        write(here, PAGE)
    for name in sections.keys() & ELSEWHERE.keys():
        write({name: sections[name]}, ELSEWHERE[name])


def write(sections: dict[str, str], page: Path) -> None:
    """Put each text in its section; the page is made when it is not there."""
    text = page.read_text() if page.exists() else SKELETON
    for name, section in sections.items():
        text = with_section(text, name, section)
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
