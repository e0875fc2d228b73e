"""Random numbers as a function of seed, step and slot (its micro-batch): nothing need be saved to resume exactly."""

import numpy as np
import torch


def step_random(seed: int, step: int, slot: int) -> np.random.Generator:
    """For choices made in numpy."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, step, slot))))


def step_generator(seed: int, step: int, slot: int) -> torch.Generator:
    """For noise made in torch, on the CPU so that every device sees the same."""
    generator = torch.Generator()
    generator.manual_seed(int(np.random.SeedSequence((seed, step, slot, 1)).generate_state(1, np.uint64)[0] >> 1))
    return generator
