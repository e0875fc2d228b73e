"""The command line as a whole."""

import os
import resource
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def cpu_seconds_of(*command: str) -> float:
    """CPU time of a command, measured as the growth of what all ended children have used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def test_help_needs_less_than_a_second_of_cpu() -> None:
    # The first run may have to write byte code.
    assert min(cpu_seconds_of(str(BIN / "dreamactor"), "--help") for _ in range(2)) < 1.0


def test_help_shows_what_every_package_adds() -> None:
    shown = subprocess.run([BIN / "dreamactor", "--help"], capture_output=True, text=True, check=True).stdout
    for command in ("animate", "signals", "dataset", "model", "settings"):
        assert command in shown
