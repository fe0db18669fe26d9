"""Tests on several workers: what belongs together is run by one of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = {f"tests/batches/test_{name}.py" for name in ("packets", "numbered", "verdicts")}

RAN = re.compile(r"^\[(gw\d+)\] .*PASSED ([\w/]+\.py)::", re.MULTILINE)


def test_each_file_is_run_by_one_worker() -> None:
    """Or what its tests share is made by each, and tests that need root change what others see."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-v", *FILES],
        capture_output=True,
        check=True,
        cwd=ROOT,
        # It may be a worker that runs this, which its own workers must not know.
        env={name: text for name, text in os.environ.items() if "XDIST" not in name},
        text=True,
    )
    ran = set(RAN.findall(done.stdout))
    assert {file for _, file in ran} == FILES
    assert len(ran) == len(FILES), ran
