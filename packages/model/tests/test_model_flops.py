"""Operations counted by formula agree with torch's counter, digit for digit."""

import dataclasses

import pytest
import torch
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.flops import Workload, prepare_flops, step_flops
from dreamactor_model.presets import ActorConfig, get_preset, video_frames
from torch.utils.flop_counter import FlopCounterMode

TINY = get_preset("tiny").actor
WITH_TEXT = dataclasses.replace(TINY, text_dim=40, text_tokens=7)


@pytest.mark.parametrize(
    ("config", "load"),
    [
        (TINY, Workload(batch=2, references=2, frames=5, tokens_a_frame=96)),
        (WITH_TEXT, Workload(batch=1, references=1, frames=3, tokens_a_frame=96, has_face=False)),
        (WITH_TEXT, Workload(batch=3, references=0, frames=4, tokens_a_frame=96)),
        (get_preset("wan-1.3b").actor, Workload(batch=1, references=4, frames=19, tokens_a_frame=2400)),
    ],
)
def test_formula_equals_the_counter(config: ActorConfig, load: Workload) -> None:
    columns = 2 * 8
    rows = 2 * load.tokens_a_frame // 8
    with torch.device("meta"):
        actor = DreamActor(config)
        face = torch.empty(load.batch, video_frames(load.frames), config.face_width) if load.has_face else None
        conditions = Conditions(
            torch.empty(load.batch, load.references, config.latent_channels, rows, columns),
            torch.empty(load.batch, config.pose_channels, load.frames, rows, columns),
            face,
        )
        latents = torch.empty(load.batch, config.latent_channels, load.frames, rows, columns)
        with FlopCounterMode(display=False) as counter:
            constants = actor.prepare(conditions)
        assert prepare_flops(config, load) == counter.get_total_flops()
        with FlopCounterMode(display=False) as counter:
            actor.denoise(latents, torch.empty(load.batch, load.frames), constants)
        assert step_flops(config, load) == counter.get_total_flops()
