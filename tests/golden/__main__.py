"""`python -m tests.golden [REPORTER]`: write golden files anew, all or those of one reporter."""

from __future__ import annotations

import sys

from tests.golden.cases import FOLDER, cases, outcomes


def main(only: str | None) -> None:
    """Write what the program prints now, and remove files that no run has any more."""
    wanted = [case for case in cases() if only in (None, case.reporter)]
    if not wanted:
        raise SystemExit(f"{only} has no golden files: tests/golden/cases.py lists the runs")
    changed = 0
    for case, (_, output) in outcomes(wanted):
        path = FOLDER / case.name
        path.parent.mkdir(exist_ok=True)
        if not path.is_file() or path.read_bytes() != output:
            path.write_bytes(output)
            changed += 1
    names = {case.name for case in wanted}
    stale = [
        path
        for path in FOLDER.glob(f"{only or '[!_]*'}/*")
        if str(path.relative_to(FOLDER)) not in names
    ]
    for path in stale:
        path.unlink()
    print(f"{len(wanted)} golden files, {changed} changed, {len(stale)} removed")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
