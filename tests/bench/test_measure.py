"""Times, memory and rates are what happened, by arithmetic."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from bench.measure import Command, FailedProgramError, Rate, Run, alternated, median_seconds, run

ROOT = Path(__file__).parent.parent.parent


def python(text: str, *words: str, **environment: str) -> Command:
    return Command((sys.executable, "-S", "-c", text, *words), environment)


def test_a_rate_is_taken_between_two_files_so_that_starting_cancels() -> None:
    # 0.5 s to start, then 2 million packets a second: 1 million in 1.0 s, 5 million in 3.0 s.
    rate = Rate(1_000_000, 5_000_000, fewer_seconds=1.0, more_seconds=3.0)
    assert rate.packets_per_second == 2_000_000


def test_a_rate_lost_in_noise_is_not_a_number() -> None:
    assert math.isnan(Rate(1, 2, fewer_seconds=1.0, more_seconds=1.0).packets_per_second)


def test_processor_time_is_that_of_each_further_packet() -> None:
    fewer = [Run(1.0, cpu, 0) for cpu in (0.5, 0.9, 0.4)]
    more = [Run(3.0, cpu, 0) for cpu in (1.5, 1.4, 9.0)]
    rate = Rate.of(1_000_000, fewer, 5_000_000, more)
    # The medians are 0.5 s and 1.5 s: 1 s for 4 million packets.
    assert rate.cpu_ns_per_packet == 250
    assert rate.packets_per_second == 2_000_000


def test_the_median_is_of_wall_times() -> None:
    runs = [Run(seconds, 0.0, 0) for seconds in (9.0, 1.0, 2.0)]
    assert median_seconds(runs) == 2.0


def test_programs_take_turns(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    commands = {name: python(append, str(log), name) for name in "ABC"}
    runs = alternated(commands, 3)
    assert log.read_text() == "ABCABCABC"
    assert {name: len(each) for name, each in runs.items()} == {"A": 3, "B": 3, "C": 3}


def test_peak_memory_counts_what_was_freed_again() -> None:
    # In a small process of its own, as a child's peak begins with that of its parent.
    measuring = (
        "import sys; from bench.measure import Command, run;"
        "print(run(Command((sys.executable, '-S', '-c', sys.argv[1]))).peak_bytes)"
    )
    pass_bytes, large_bytes = (
        int(subprocess.check_output([sys.executable, "-c", measuring, text], cwd=ROOT))
        for text in ("pass", "text = b'x' * 100_000_000; del text")
    )
    assert large_bytes - pass_bytes == pytest.approx(100e6, rel=0.1)


def test_time_goes_on_while_a_program_waits_but_its_processor_time_does_not() -> None:
    waited = run(python("import select; select.select([], [], [], 0.3)"))
    assert waited.wall_seconds >= 0.3
    assert waited.cpu_seconds < 0.3


def test_a_program_gets_its_environment_and_its_errors_are_kept() -> None:
    said = run(python("import os, sys; sys.stderr.write(os.environ['WORD'])", WORD="here"))
    assert said.stderr == "here"


def test_a_program_that_fails_is_no_measurement() -> None:
    with pytest.raises(FailedProgramError, match="status 3: out of luck"):
        run(python("import sys; sys.stderr.write('out of luck'); sys.exit(3)"))
