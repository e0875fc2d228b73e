"""How busy eight ranks are: our order of batches against a random window length on every rank. No model runs.

A step lasts as long as its dearest batch. Cost: tokens, and attention between all of them, of a transformer of the
smallest real preset; windows of 25-121 frames, one to three references, five frame sizes of equal area.

    python -m benchmarks.dataset_parts.batching
"""

import json
import sys

import numpy as np
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_dataset.sampling.cost import frame_tokens, sample_cost

from benchmarks.dataset_parts.simulated import simulated_table

_RANKS, _CLIPS, _EPOCHS = 8, 20_000, 3
_SETTINGS = SamplingDataSettings()


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Share of the ranks' time that is work, over several epochs; every clip is shown once in each."""
    table = simulated_table(max(800, round(scale * _CLIPS)) + 3, shortest=_SETTINGS.max_frames)
    sampler = WindowSampler(table, _SETTINGS, seed=0, batch_size=1)
    costs = np.empty(_EPOCHS * sampler.batches_per_epoch)
    once = True
    for epoch in range(_EPOCHS):
        first = epoch * sampler.batches_per_epoch
        draws = [sampler.batch(first + number)[0] for number in range(sampler.batches_per_epoch)]
        once &= sorted(draw.clip_index for draw in draws) == list(range(len(table)))
        costs[first : first + len(draws)] = sample_cost(
            np.array([draw.frame_count for draw in draws]),
            frame_tokens(np.array([draw.size for draw in draws])),
            np.array([draw.reference_count for draw in draws]),
            _SETTINGS.attention_tokens,
        )
    ours, random = _busy(costs), _busy(np.random.default_rng(0).permutation(costs))
    return {
        "busy_share": ours,
        "busy_share_random": random,
        "busy_ratio": ours / random,
        "every_clip_once": once,
    }


def _busy(costs: np.ndarray) -> float:
    steps = costs[: len(costs) // _RANKS * _RANKS].reshape(-1, _RANKS)
    return float(steps.sum() / (_RANKS * steps.max(axis=1)).sum())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
