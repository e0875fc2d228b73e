"""Figures of the model: `python -m benchmarks.dit [--scale 0.25] [--only speed guided]`; on a GPU, `--only gpu` too."""

import os

from benchmarks.parts import run_parts

PARTS = ("parity", "speed", "guided", "segments", "approximations", "memory", "probes", "speech", "gpu")

if __name__ == "__main__":
    run_parts("dit_parts", PARTS, about="Figures of the model.", threads=os.cpu_count() or 1)
