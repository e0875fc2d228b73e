"""The suite `release`: every held-out clip (100 at least), driven by itself, against a still copy and a cut-out warp.

Errors are compared on the clips in which both have one: where a still copy's face is not found, ours may be, and such
clips are the hardest. `*_all_clips` is the ratio of means of all clips that either has. Expressions are compared in
portraits.

python -m benchmarks.release_parts.suite
"""

import json

import numpy as np
from dreamactor_core.manifest import read_manifest

from benchmarks.release_parts.held_out import MANIFEST, run_suite, values_by_clip


def measure(scale: float = 1.0) -> dict[str, float]:  # noqa: ARG001 - fewer clips would be another suite
    """Ratios and differences to both baselines, and the model's own values."""
    by = run_suite("release")
    model, copy, warp = (
        {name: figure["value"] for name, figure in by[who].items()} for who in ("model", "copy_reference", "warp")
    )
    by_clip = values_by_clip("release")

    def paired(metric: str, among: set[str] | None = None) -> tuple[float, int]:
        """Our mean by a still copy's, and the number of clips, of those, in which both have a value."""
        ours, theirs = by_clip["model"][metric], by_clip["copy_reference"][metric]
        both = sorted(clip for clip in ours.keys() & theirs.keys() if among is None or clip in among)
        return float(np.mean([ours[clip] for clip in both]) / np.mean([theirs[clip] for clip in both])), len(both)

    (pose, pose_clips), (head, head_clips) = paired("pose_error"), paired("head_error_deg")
    expression, expression_clips = paired("expression_error", _portraits())
    figures = {
        "pose_error_vs_copy": pose,
        "pose_error_vs_copy_clips": pose_clips,
        "pose_error_vs_copy_all_clips": model["pose_error"] / copy["pose_error"],
        "head_error_vs_copy": head,
        "head_error_vs_copy_clips": head_clips,
        "head_error_vs_copy_all_clips": model["head_error_deg"] / copy["head_error_deg"],
        "expression_error_vs_copy": expression,
        "expression_error_vs_copy_clips": expression_clips,
        "psnr_over_copy_db": model["psnr_db"] - copy["psnr_db"],
        "psnr_over_warp_db": model["psnr_db"] - warp["psnr_db"],
        "lpips_vs_copy": model["lpips"] / copy["lpips"],
        "lpips_vs_warp": model["lpips"] / warp["lpips"],
        "fvd_vs_copy": model["fvd"] / copy["fvd"],
        "fvd_vs_warp": model["fvd"] / warp["fvd"],
        "release_clips": by["model"]["psnr_db"]["n"],
    }
    return figures | {f"release_{name}": value for name, value in model.items()}


def _portraits() -> set[str]:
    return {row.clip_id for row in read_manifest(MANIFEST) if row.framing == "portrait"}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
