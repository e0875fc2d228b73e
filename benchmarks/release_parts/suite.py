"""The suite `release`: every held-out clip (100 at least), driven by itself, against a still copy and a cut-out warp.

python -m benchmarks.release_parts.suite
"""

import json

from benchmarks.release_parts.held_out import run_suite


def measure(scale: float = 1.0) -> dict[str, float]:  # noqa: ARG001 - fewer clips would be another suite
    """Ratios and differences to both baselines, and the model's own values."""
    by = run_suite("release")
    model, copy, warp = (
        {name: figure["value"] for name, figure in by[who].items()} for who in ("model", "copy_reference", "warp")
    )
    figures = {
        "pose_error_vs_copy": model["pose_error"] / copy["pose_error"],
        "head_error_vs_copy": model["head_error_deg"] / copy["head_error_deg"],
        "psnr_over_copy_db": model["psnr_db"] - copy["psnr_db"],
        "psnr_over_warp_db": model["psnr_db"] - warp["psnr_db"],
        "lpips_vs_copy": model["lpips"] / copy["lpips"],
        "lpips_vs_warp": model["lpips"] / warp["lpips"],
        "fvd_vs_copy": model["fvd"] / copy["fvd"],
        "fvd_vs_warp": model["fvd"] / warp["fvd"],
        "release_clips": by["model"]["psnr_db"]["n"],
    }
    return figures | {f"release_{name}": value for name, value in model.items()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
