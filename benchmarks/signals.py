"""Figures of the control signals: `python -m benchmarks.signals [--scale 0.25] [--only head drawing]`."""

from benchmarks.parts import run_parts

PARTS = ("fit", "retarget", "head", "temporal", "drawing", "cross_view", "extraction")

if __name__ == "__main__":
    run_parts("signals_parts", PARTS, about="Figures of the control signals.", threads=1)
