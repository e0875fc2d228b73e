"""Expression in close-ups: the suite `portrait` over every held-out portrait.

python -m benchmarks.release_parts.portraits
"""

import json

from benchmarks.release_parts.held_out import EVERY_CLIP, run_suite


def measure(scale: float = 1.0) -> dict[str, float]:
    """Expression error over that of a copy; `scale` below 1 takes fewer clips."""
    by = run_suite("portrait", evaluation__clips=max(4, round(EVERY_CLIP * scale)))
    error, copied = by["model"]["expression_error"], by["copy_reference"]["expression_error"]
    return {
        "expression_error_vs_copy": error["value"] / copied["value"],
        "portrait_expression_error": error["value"],
        "portrait_clips": error["n"],
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
