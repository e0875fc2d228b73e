"""Film people, read them, train the lifting networks, write the file that ships: one command, the same by seed.

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

from benchmarks.signals_parts.lifting.filming import TRAINING_CAST, VALIDATION_CAST, training_clips, validation_clips
from benchmarks.signals_parts.lifting.motions import HELD_OUT, ON_THE_FLOOR, UPRIGHT, VALIDATION
from benchmarks.signals_parts.lifting.samples import samples_of
from benchmarks.signals_parts.lifting.training import train

_SEED, _VARIANTS = 7101, 1


def main(folder: Path) -> None:
    """Everything from people to the file."""
    validation = samples_of(validation_clips(folder))
    training = samples_of(training_clips(folder), variants=_VARIANTS, seed=_SEED)
    layers = train(training, validation, _SEED)
    learnt_from = (TRAINING_CAST, VALIDATION_CAST, UPRIGHT, ON_THE_FLOOR, VALIDATION)
    header = {
        "network": BODY_AND_HANDS.label(),
        "people": f"{len(TRAINING_CAST)} of seed {TRAINING_CAST[0][0]}, to validate {len(VALIDATION_CAST)} of seed "
        f"{VALIDATION_CAST[0][0]}",
        "motions": ", ".join(("drawn", *UPRIGHT, *ON_THE_FLOOR)),
        "validation": ", ".join(("drawn", *VALIDATION)),
        "held_out": ", ".join(HELD_OUT),
        "samples": len(training.framing),
        "cast": hashlib.sha256(repr(learnt_from).encode()).hexdigest()[:12],
    }
    tensors: dict[str, np.ndarray] = {}
    for number, (weight, bias) in enumerate(layers):
        tensors |= {f"weight_{number}": weight.astype(np.float16), f"bias_{number}": bias.astype(np.float32)}
    save_tensors(LIFTING_FILE, tensors, header)
    say(f"{LIFTING_FILE}: {LIFTING_FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/lifting"))
