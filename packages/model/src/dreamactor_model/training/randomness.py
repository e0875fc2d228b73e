"""Random numbers as a function of seed, step and rank: nothing needs to be saved to resume exactly."""

import numpy as np
import torch


def step_random(seed: int, step: int, rank: int) -> np.random.Generator:
    """For choices made in numpy."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, step, rank))))


def step_generator(seed: int, step: int, rank: int) -> torch.Generator:
    """For noise made in torch, on the CPU so that every device sees the same."""
    generator = torch.Generator()
    generator.manual_seed(int(np.random.SeedSequence((seed, step, rank, 1)).generate_state(1, np.uint64)[0] >> 1))
    return generator
