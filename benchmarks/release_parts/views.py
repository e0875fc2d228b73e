"""Several references of a person who turns against one: the suite `references` (the paper's Table 3 in our measure).

python -m benchmarks.release_parts.views
"""

import json

from benchmarks.release_parts.held_out import run_suite

_CLIPS = 24


def measure(scale: float = 1.0) -> dict[str, float]:
    """What true and made views add, in dB, in the clips whose people turn most."""
    by = run_suite("references", evaluation__clips=max(4, round(_CLIPS * scale)))
    one, made, real = (by[name]["psnr_db"]["value"] for name in ("one_reference", "made_references", "real_references"))
    return {"multi_reference_gain_db": real - one, "made_reference_gain_db": made - one}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
