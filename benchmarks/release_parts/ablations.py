"""What the paper's choices are worth here (Figure 6): what drives the body and the head, and bone lengths.

Control maps of three kinds are each trained from nothing for as many steps (`short_training`) and compared by the suite
`controls`; the released model drives strangers with and without their bone lengths in the suite `bone-lengths`.

    python -m benchmarks.release_parts.ablations
"""

import json

from dreamactor_core.settings.signals import Guidance

from benchmarks.release_parts.held_out import enter, run_suite
from benchmarks.release_parts.short_training import SHORT, train_short

_CLIPS = 24
_KINDS: tuple[Guidance, ...] = ("sphere", "mesh", "landmarks")
_METRICS = ("pose_error", "head_error_deg", "expression_error", "psnr_db", "lpips")


def measure(scale: float = 1.0) -> dict[str, float | None]:
    """Figures by variant; `scale` below 1 takes fewer steps and clips."""
    settings = enter()
    trained = {guidance: train_short(guidance, settings, scale) for guidance in _KINDS}
    clips, sphere = max(4, round(_CLIPS * scale)), str(trained["sphere"] / "stage3")
    controls = run_suite(
        "controls", evaluation__clips=clips, evaluation__checkpoint=sphere, training__models_dir=str(SHORT)
    )
    lengths = run_suite("bone-lengths", evaluation__clips=clips)
    kept = {"control_sphere": controls["model"], "control_mesh": controls["mesh"]}
    kept |= {"control_landmarks": controls["landmarks"]}
    kept |= {"bones_adjusted": lengths["adjusted"], "bones_not_adjusted": lengths["not_adjusted"]}
    return {f"{variant}_{metric}": _value(by, metric) for variant, by in kept.items() for metric in _METRICS}


def _value(by: dict[str, dict[str, float]], metric: str) -> float | None:
    """None where no clip has a truth, or shows what is measured."""
    return by.get(metric, {}).get("value")


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
