"""How a benchmark of several parts runs: each in a process of its own, so that none measures another's leftovers.

A part is a module with `measure(scale) -> figures`. The last line printed is one JSON object with every figure; one
that could not be had is null, with the reason under NAME_why.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_WORKSPACE = Path(__file__).parents[1]
_MEASURE = "import json; from benchmarks.{package} import {part}; print(json.dumps({part}.measure({scale})))"


def run_parts(package: str, parts: Sequence[str], *, about: str, threads: int) -> None:
    """Run the parts one after another, as the command line asks, and print what they measured.

    Args:
        package: folder of the parts, under benchmarks/.
        about: first line of the command's help.
        threads: that a part may compute with.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--scale", type=float, default=1.0, help="below 1: fewer rounds or shorter clips")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="parts to run")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    for part in options.only:
        measured = _run(_MEASURE.format(package=package, part=part, scale=options.scale), threads)
        print(f"{part}: {json.dumps(measured)}", flush=True)
        figures |= measured
    print(json.dumps(figures))


def _run(program: str, threads: int) -> dict[str, object]:
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=_WORKSPACE,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
    return figures
