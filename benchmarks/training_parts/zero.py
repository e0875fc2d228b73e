"""ZeRO 1, 2 and 3 on two ranks against one process without ZeRO: the same loss curve, in fp32.

Body and references are the conditions, those of stage 1. Face crops are left out: a newborn E_f looks for the face
where rounding sends it, and within ten steps that alone is another curve (measured: up to 1e-2).

The losses of the one process are kept beside this file. A change of numbers must be deliberate:
`python -m benchmarks.training_parts.zero --write` writes new ones.

    python -m benchmarks.training_parts.zero
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from dreamactor_core.files import write_json
from dreamactor_model.training.run.journal import read_journal
from dreamactor_model.training.spec import JOURNAL

from benchmarks.training_parts.cached import CachedRun, train
from benchmarks.training_parts.ranks import run_ranks

GOLDEN = Path(__file__).parent / "golden_losses.json"
STEPS = 20
_ZERO_STAGES = (1, 2, 3)
# That of the tiny preset's stage 1.
_LEARNING_RATE = 1e-3


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:  # noqa: ARG001 - twenty steps are the claim
    """Largest relative difference of a loss to the one process's, and of that to the golden losses."""
    with tempfile.TemporaryDirectory() as folder:
        single = _losses(Path(folder) / "single", zero_stage=0, ranks=1)
        curves = {zero: _losses(Path(folder) / f"zero{zero}", zero_stage=zero, ranks=2) for zero in _ZERO_STAGES}
    differences = {zero: _relative(curve, single) for zero, curve in curves.items()}
    return {
        "zero_curve_rel": max(differences.values()),
        **{f"zero{zero}_curve_rel": difference for zero, difference in differences.items()},
        "golden_losses_rel": _relative(single, np.array(json.loads(GOLDEN.read_text())["losses"])),
        "zero_first_loss": float(single[0]),
        "zero_last_loss": float(single[-1]),
    }


def _losses(folder: Path, *, zero_stage: int, ranks: int) -> np.ndarray:
    """(steps,) of a run."""
    changes = {"zero_stage": zero_stage, "precision": "float32", "stage3.learning_rate": _LEARNING_RATE}
    run = CachedRun(folder, STEPS, changes, conditions=("reference", "pose"))
    statuses = run_ranks(train, run, ranks, folder / "logs", timeout_s=400.0)
    if any(statuses):
        raise RuntimeError(f"ranks ended with {statuses}: {(folder / 'logs' / 'rank-0.log').read_text()[-2000:]}")
    return np.array([entry["loss"] for entry in read_journal(run.work_dir / JOURNAL)])


def _relative(losses: np.ndarray, reference: np.ndarray) -> float:
    return float(np.max(np.abs(losses - reference) / np.abs(reference)))


def _write_golden() -> None:
    with tempfile.TemporaryDirectory() as folder:
        losses = _losses(Path(folder), zero_stage=0, ranks=1)
    write_json(
        GOLDEN,
        {"what": "one process, fp32, tiny preset, cached batches, body and references", "losses": losses.tolist()},
    )


if __name__ == "__main__":
    if "--write" in sys.argv:
        _write_golden()
    else:
        print(json.dumps(measure()))
