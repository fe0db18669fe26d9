"""Writes into the documentation what can be taken from the program, so that it cannot drift.

`python docs/refresh.py` rewrites README.md and the pages below docs/; with `--check` it writes
nothing, says where they differ, and ends with status 1.

- In a block marked ```console, each line `$ tcpsnoop ...` is run by the shell at the top of the
  checkout; what it prints, on standard output and standard error, stands below. Other commands, as
  those that need root (`# tcpsnoop ...`), are left alone.
- Between `<!-- begin columns NAME -->` and `<!-- end -->` stand a report's columns, with
  `columns NAME OPTION=VALUE` those that it has then (`on` is for switches); likewise its `options
  NAME`, the text of `file PATH`, and the diagram and the table of a state machine, `states MODULE`.
- A page with `<!-- plugin FOLDER -->` is run with the package in that folder installed.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_SECTION = re.compile(
    r"<!-- begin (columns|options|file|states) (\S+(?: \S+=\S+)?) -->\n.*?<!-- end -->", re.DOTALL
)
_PLUGIN = re.compile(r"<!-- plugin (\S+) -->")

Environment = Mapping[str, str]


def pages(root: Path) -> list[Path]:
    """The pages that are kept up to date."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def refreshed(text: str, root: Path, folder: Path) -> str:
    """The text of a page as it should be; `folder` is for files that are needed meanwhile."""
    environment = _environment(root, folder, _PLUGIN.findall(text))
    text = _SECTION.sub(lambda found: _section(found[1], found[2], root), text)
    return _CONSOLE.sub(lambda found: _block(found[1], root, environment), text)


def _block(text: str, root: Path, environment: Environment) -> str:
    def run_again(found: re.Match[str]) -> str:
        command, printed = found[1], found[2]
        if not command.startswith("tcpsnoop "):
            return found[0]
        now = _output(command, root, environment)
        if now != printed:
            # What is said only once, as that kernels are compiled, is no part of a page.
            now = _output(command, root, environment)
        return f"$ {command}\n{now}"

    return f"```console\n{_COMMAND.sub(run_again, text)}```"


def _output(command: str, root: Path, environment: Environment) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if "internal error" in done.stdout:
        raise SystemExit(f"$ {command}\n{done.stdout}")
    return done.stdout if done.stdout.endswith("\n") or not done.stdout else f"{done.stdout}\n"


def _environment(root: Path, folder: Path, plugins: list[str]) -> Environment:
    """Where `tcpsnoop` is this checkout, by this Python, and has these plug-ins."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "tcpsnoop"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tcpsnoop "$@"\n')
    program.chmod(0o755)
    found = [str(root)]
    for number, plugin in enumerate(plugins):
        # Building leaves files beside the source.
        source = shutil.copytree(root / plugin, folder / f"source-{number}")
        target = folder / f"installed-{number}"
        offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(target)]
        subprocess.run([*pip, str(source)], check=True)
        found.append(str(target))
    return os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": os.pathsep.join(found),
        "TZ": "UTC",
        "LC_ALL": "C",
        "COLUMNS": "80",
    }


def _section(kind: str, name: str, root: Path) -> str:
    if kind == "file":
        language = "python" if name.endswith(".py") else "ini"
        lines = [f"```{language}", (root / name).read_text("utf-8").rstrip("\n"), "```"]
    else:
        make = {"columns": _columns, "options": _options, "states": _states}[kind]
        lines = list(make(name))
    return "\n".join([f"<!-- begin {kind} {name} -->", *lines, "<!-- end -->"])


def _columns(name: str) -> Iterator[str]:
    from tcpsnoop.registry import REPORTERS, load

    name, *choices = name.split()
    pairs = (choice.split("=") for choice in choices)
    options = {option: True if value == "on" else value for option, value in pairs}
    yield from ("| column | type | meaning |", "| --- | --- | --- |")
    for column in load(REPORTERS, name)(**options).schema.columns:
        meaning = column.meaning.replace("|", r"\|")
        yield f"| `{column.name}` | {column.kind.value} | {meaning} |"


def _options(name: str) -> Iterator[str]:
    from tcpsnoop.registry import REPORTERS, load

    yield from ("| option | default | meaning |", "| --- | --- | --- |")
    for field in dataclasses.fields(load(REPORTERS, name)):
        if "help" in field.metadata:
            long = f"--{field.name.replace('_', '-')}"
            flags = ", ".join(f"`{flag}`" for flag in (*field.metadata["flags"], long))
            default = "off" if field.default is False else field.default
            yield f"| {flags} | {default} | {field.metadata['help']} |"


def _states(name: str) -> Iterator[str]:
    """A module's TRANSITIONS as a diagram and as a table; what leads from all states is one row."""
    from importlib import import_module

    machine = import_module(name)
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), new in machine.TRANSITIONS.items():
        if event != machine.RESETS:
            old, after = machine.STATES[state], machine.STATES[new]
            arrows.setdefault((old, after), []).append(machine.EVENTS[event])
    reset = [
        machine.STATES[state] for state, event in machine.TRANSITIONS if event == machine.RESETS
    ]
    yield from ("```mermaid", "stateDiagram-v2")
    for state in machine.STATES:
        yield f'    state "{state}" as {state.replace("-", "_")}'
    for (old, after), events in arrows.items():
        label = " / ".join(events)
        yield f"    {old.replace('-', '_')} --> {after.replace('-', '_')}: {label}"
    yield from ("```", "", "| from | to | when the end |", "| --- | --- | --- |")
    for (old, after), events in arrows.items():
        yield f"| {old} | {after} | {' or '.join(events)} |".replace("SYN|ACK", r"SYN\|ACK")
    yield f"| {', '.join(reset)} | CLOSED | {machine.EVENTS[machine.RESETS]} |"


def main(root: Path, check: bool) -> int:
    """Refresh all pages; how many differ, when they are only checked."""
    sys.path.insert(0, str(root))
    differing = 0
    for path in pages(root):
        old = path.read_text("utf-8")
        with tempfile.TemporaryDirectory() as folder:
            new = refreshed(old, root, Path(folder))
        if new == old:
            continue
        name = path.relative_to(root)
        if check:
            differing += 1
            print(f"{name} differs from what the program says: run `make docs`")
            print(*_difference(old, new), sep="\n")
        else:
            path.write_text(new, "utf-8")
            print(f"{name} written")
    return differing


def _difference(old: str, new: str) -> Iterator[str]:
    from difflib import unified_diff

    return unified_diff(old.splitlines(), new.splitlines(), "is", "should be", lineterm="", n=1)


if __name__ == "__main__":
    raise SystemExit(1 if main(ROOT, "--check" in sys.argv[1:]) else 0)
