"""Step rate with selective against full activation checkpointing: forward and backward of the base-sized transformer.

python -m benchmarks.training_parts.checkpointing
"""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import get_args

import torch
from dreamactor_core.settings.training import ActivationCheckpointing
from dreamactor_model.actor import DreamActor

from benchmarks.dit_parts.rounds import interleaved_medians_s
from benchmarks.dit_parts.sizes import BASE, actor_config

KINDS: tuple[ActivationCheckpointing, ...] = get_args(ActivationCheckpointing)


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Time of a step with full checkpointing over that with selective, and over that without any."""
    actor = _actor()
    steps: dict[str, Callable[[], object]] = {kind: partial(_step, actor, kind) for kind in KINDS}
    # A step takes seconds: on a busy CPU its own time says more than the wall's.
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    seconds = interleaved_medians_s(steps, max(int(5 * scale), 2), clock)
    return {
        "selective_checkpoint_ratio": seconds["full"] / seconds["selective"],
        "no_checkpoint_ratio": seconds["full"] / seconds["none"],
    }


def _actor() -> DreamActor:
    """No branch of it zero: products with zeros would be as dear, but their gradients would stop."""
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    actor = DreamActor(actor_config(BASE)).to(device)
    for parameter in actor.dit.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    return actor


def _step(actor: DreamActor, kind: ActivationCheckpointing) -> None:
    actor.dit.checkpointing = kind
    actor.zero_grad()
    config, (batch, channels, frames, rows, columns) = actor.config, BASE.latent_shape
    like = actor.dit.scale_shift_table
    velocity = actor(
        like.new_ones(batch, channels, frames, rows, columns),
        like.new_full((batch, frames), 0.5),
        like.new_ones(batch, 1, channels, rows, columns),
        like.new_ones(batch, config.pose_channels, frames, rows, columns),
        like.new_ones(batch, 4 * frames - 3, config.face_width),
    )
    velocity.square().mean().backward()


if __name__ == "__main__":
    print(json.dumps(measure()))
