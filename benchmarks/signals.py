"""Figures of the control signals: `python benchmarks/signals.py [--scale 0.25] [--only head drawing]`.

Each part runs in a process of its own, so that no part times or measures the leftovers of another. The last line is
one JSON object with every figure; one that could not be had is null, with the reason under NAME_why.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

PARTS = ("fit", "retarget", "head", "temporal", "drawing", "cross_view", "extraction")
_WORKSPACE = Path(__file__).parents[1]
_MEASURE = "import json; from benchmarks.signals_parts import {part}; print(json.dumps({part}.measure({scale})))"


def main() -> None:
    """Run the parts one after another and print what they measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="below 1: fewer or shorter clips, for a quick look")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    for part in options.only:
        measured = _run(part, options.scale)
        print(f"{part}: {json.dumps(measured)}", flush=True)
        figures |= measured
    print(json.dumps(figures))


def _run(part: str, scale: float) -> dict[str, object]:
    finished = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(part=part, scale=scale)],
        cwd=_WORKSPACE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
