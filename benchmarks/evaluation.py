"""Figures of the evaluation: `python -m benchmarks.evaluation [--scale 0.25] [--only agreement]`."""

from benchmarks.parts import run_parts

PARTS = ("agreement", "video_distances", "batch")

if __name__ == "__main__":
    run_parts("evaluation_parts", PARTS, about="Figures of the evaluation.", threads=1)
