"""Film people, read them, train the lifting networks, write the file that ships: one command, the same by seed.

Of many people, some filmed coarsely, networks learn depths better, and places in small portraits worse: so places are
what networks of few people, filmed well, say.

    python -m benchmarks.signals_parts.lifting [FOLDER]

FOLDER keeps what was filmed, person by person, so that a run that was interrupted goes on (default: runs/lifting).
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from dreamactor_core.console import say
from dreamactor_core.files import save_tensors
from dreamactor_signals.litert.wheels import BODY_AND_HANDS
from dreamactor_signals.trackers.embedded.lifting import LIFTING_FILE

from benchmarks.signals_parts.lifting.filming import (
    DEPTHS_CAST,
    PLACES_CAST,
    VALIDATION_CAST,
    depths_clips,
    places_clips,
    validation_clips,
)
from benchmarks.signals_parts.lifting.motions import HELD_OUT, ON_THE_FLOOR, UPRIGHT, VALIDATION
from benchmarks.signals_parts.lifting.samples import samples_of
from benchmarks.signals_parts.lifting.training import side_by_side, train

_SEED, _VARIANTS = 7101, 1
_PLACES_WIDTH, _DEPTHS_WIDTH = 64, 128


def main(folder: Path) -> None:
    """Everything from people to the file."""
    validation = samples_of(validation_clips(folder))
    for_places, for_depths = (
        samples_of(clips, variants=_VARIANTS, seed=_SEED) for clips in (places_clips(folder), depths_clips(folder))
    )
    layers = side_by_side(
        train(for_places, validation, _SEED, width=_PLACES_WIDTH),
        train(for_depths, validation, _SEED, width=_DEPTHS_WIDTH),
    )
    learnt_from = (PLACES_CAST, DEPTHS_CAST, VALIDATION_CAST, UPRIGHT, ON_THE_FLOOR, VALIDATION)
    header = {
        "network": BODY_AND_HANDS.label(),
        "people": f"depths from {len(DEPTHS_CAST)} of seed {DEPTHS_CAST[0][0]}, places from the first "
        f"{len(PLACES_CAST)}, to validate {len(VALIDATION_CAST)} of seed {VALIDATION_CAST[0][0]}",
        "motions": ", ".join(("drawn", *UPRIGHT, *ON_THE_FLOOR)),
        "validation": ", ".join(("drawn", *VALIDATION)),
        "held_out": ", ".join(HELD_OUT),
        "samples": len(for_places.framing) + len(for_depths.framing),
        "cast": hashlib.sha256(repr(learnt_from).encode()).hexdigest()[:12],
    }
    tensors: dict[str, np.ndarray] = {}
    for number, (weight, bias) in enumerate(layers):
        tensors |= {f"weight_{number}": weight.astype(np.float16), f"bias_{number}": bias.astype(np.float32)}
    save_tensors(LIFTING_FILE, tensors, header)
    say(f"{LIFTING_FILE}: {LIFTING_FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/lifting"))
