"""Figures of training: `python -m benchmarks.training [--scale 0.25] [--only survival saving]`."""

from benchmarks.parts import run_parts

PARTS = ("survival", "saving", "logging", "overhead", "zero", "overfit", "planner", "lora", "checkpointing")

if __name__ == "__main__":
    # One thread: what runs beside the training is to show as time, not to hide on an idle core.
    run_parts("training_parts", PARTS, about="Figures of training.", threads=1)
