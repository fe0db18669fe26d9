"""`python -m bench [speed|reports|memory|stream|start|live|attribution]…`: measure, print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench import attribution, live, machine, memory, page, reports, speed, start, stream
from bench.captures import Captures, default_folder
from bench.measure import FailedProgramError
from bench.programs import tcpsnoop_works
from bench.targets import Section, paragraph

BENCHMARKS: dict[str, Callable[[Captures, bool], Section]] = {
    "speed": speed.measure,
    "reports": reports.measure,
    "memory": memory.measure,
    "stream": stream.measure,
    "start": start.measure,
    "live": live.measure,
    "attribution": attribution.measure,
}
NEED_TCPSNOOP = ("reports", "memory", "stream", "start", "attribution")
QUICK_SCALE = 0.1


def main() -> int:
    """Run the chosen benchmarks; 1 when a target is missed, aims aside."""
    chosen = _arguments()
    names = chosen.benchmark or list(BENCHMARKS)
    captures = Captures(chosen.dir, QUICK_SCALE if chosen.quick else 1.0)
    missing = tcpsnoop_works()
    if missing is not None:
        print(f"bench: going without tcpsnoop: {missing}", file=sys.stderr)
        names = [name for name in names if name not in NEED_TCPSNOOP]
    busy = os.getloadavg()[0]
    if busy > 0.5:
        print(f"bench: the machine is busy (load {busy:.1f}), ratios suffer", file=sys.stderr)
    texts = {"machine": machine.describe()}
    print(texts["machine"], flush=True)
    missed = []
    for name in names:
        where = paragraph(machine.in_a_line())
        try:
            section = BENCHMARKS[name](captures, chosen.quick)
        except FailedProgramError as failure:
            print(f"bench: {name}: {failure}", file=sys.stderr)
            missed.append(name)
            continue
        texts[name] = f"{where}\n\n{section.markdown()}"
        print(f"\n## {name}\n\n{texts[name]}", flush=True)
        missed += [each.what for each in section.targets if not each.met and not each.aim]
    if chosen.write:
        page.write_all(texts)
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("benchmark", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the packets, one round")
    parser.add_argument("--write", action="store_true", help="write it into docs/")
    parser.add_argument("--dir", type=Path, default=default_folder(), help="keeps the captures")
    chosen = parser.parse_args()
    if chosen.quick and chosen.write:
        parser.error("a quick look is not written down")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
