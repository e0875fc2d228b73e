"""Figures of the released tiny model, on people, clothes and motions it never saw: `python -m benchmarks.release`.

The clips are those held out of the data it was trained on. They are made, if they are not there, by:

    cd release && dvc repro signals

`stages` and `ablations` train, on what `dvc repro latents` makes besides (after `make release/start/tiny`).
"""

from benchmarks.parts import run_parts

PARTS = ("suite", "shown_warp", "stages", "views", "long_video", "lips", "speed", "ablations")

if __name__ == "__main__":
    run_parts("release_parts", PARTS, about="Figures of the released tiny model.", threads=2)
