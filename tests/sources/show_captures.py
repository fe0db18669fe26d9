"""Print what is read from the captures of a folder: run with kernels compiled and interpreted."""

from __future__ import annotations

import sys
from pathlib import Path

from tcpsnoop.errors import UsageError
from tcpsnoop.sources.savefile import open_savefile
from tests.sources.reading import packets_of


def show(path: Path) -> str:
    """All that a source says of a file, as text."""
    try:
        source = open_savefile(str(path), capacity=512, batch_size=5)
    except UsageError as error:
        return str(error)
    packets = packets_of(source)
    told = (source.damage, list(source.anomalies), dict(source.hosts))
    return repr((packets, list(source.interfaces), *told))


if __name__ == "__main__":
    for name in sorted(Path(sys.argv[1]).iterdir()):
        print(show(name))  # noqa: T201 - it is what the test reads
