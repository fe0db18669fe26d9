"""A reporter's own options, made from the fields of its dataclass."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from tcpsnoop.cli.arguments import positive


def add_reporter_options(parser: argparse.ArgumentParser, name: str, reporter: type) -> None:
    """Add an option for each field made with `interfaces.reporter.option`."""
    group = parser.add_argument_group(f"options of {name}")
    taken = parser._option_string_actions  # argparse has no public way to ask
    for field in _options_of(reporter):
        flags = [flag for flag in field.metadata["flags"] if flag not in taken]
        long = f"--{field.name.replace('_', '-')}"
        common: dict[str, Any] = {"dest": f"own_{field.name}", "help": field.metadata["help"]}
        if isinstance(field.default, bool):
            action = "store_false" if field.default else "store_true"
            group.add_argument(*flags, long, action=action, default=field.default, **common)
            continue
        kind = positive if isinstance(field.default, int) else type(field.default)
        if field.metadata["choices"]:
            common["choices"] = field.metadata["choices"]
        else:
            common["metavar"] = field.name.upper()
        group.add_argument(*flags, long, type=kind, default=field.default, **common)


def make_reporter(reporter: type, arguments: argparse.Namespace) -> Any:
    """The reporter with the options the user gave."""
    chosen = {
        field.name: getattr(arguments, f"own_{field.name}", field.default)
        for field in _options_of(reporter)
    }
    return reporter(**chosen)


def _options_of(reporter: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(reporter) if "help" in field.metadata]
