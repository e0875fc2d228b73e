"""Figures of the data: `python -m benchmarks.dataset [--scale 0.25] [--only clips latents]`."""

from benchmarks.parts import run_parts

PARTS = ("clips", "latents", "batching", "memory", "scale", "lineage", "synthesis")

if __name__ == "__main__":
    run_parts("dataset_parts", PARTS, about="Figures of the data.", threads=1)
