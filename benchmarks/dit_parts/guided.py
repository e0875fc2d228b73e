"""A guided sampling loop against one over diffusers' WanAnimateTransformer3DModel: equal width, tokens, evaluations.

Both are driven by one reference frame, pose features on the latent grid and the faces of 17 video frames; both take
three guidance terms in one batched call a step, and the same solver. Theirs attends to faces after every block, as ours
does; its motion encoder is narrowed and sees faces of 128 pixels (ours: 224). It runs in every evaluation, which is how
the class works: `guided_loop_ratio_encoders_apart` leaves both face encoders out of the time. Ours attends to the
reference a second time in every block (Ref Attn), which theirs does not.

Legend: B batch, F latent frames, T video frames, C channels, H W rows and columns.
"""

import json

import torch
from diffusers import WanAnimateTransformer3DModel
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.layers import TIMESTEP_SCALE
from dreamactor_model.presets import FACE_CROP_PX, video_frames
from dreamactor_model.sampling.solver import integrate, solve
from torch import Tensor, nn

from benchmarks.dit_parts.rounds import interleaved_medians_s
from benchmarks.dit_parts.sizes import LATENT_CHANNELS, SMALL, TEXT_DIM, TEXT_TOKENS, actor_config

_ROUNDS = 5
# Three different scales, so that no term may be left out.
_REFERENCE, _MOTION = 3.0, 2.5
_STEPS = 10
_SETTINGS = SamplingSettings(steps=_STEPS, guidance_reference=_REFERENCE, guidance_motion=_MOTION)
_TERMS = 3
_THEIR_FACE_PX = 128
_THEIR_FACE_CHANNELS = {"4": 64, "8": 64, "16": 64, "32": 32, "64": 16, "128": 8}
# Beside noise and reference latents, the mask that says which is which.
_THEIR_INPUTS = 2 * LATENT_CHANNELS + 4
_FRAMES = video_frames(SMALL.frames)
_GRID = (SMALL.rows, SMALL.columns)


@torch.inference_mode()
def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Ratios of whole loops (their time / ours); `scale` < 1: fewer rounds."""
    ours, compiled, theirs = _our_actor(), _our_actor(), _their_model()
    compiled.compile_blocks()
    noise = torch.randn(SMALL.latent_shape, generator=torch.Generator().manual_seed(0))
    crops = torch.rand(1, _FRAMES, 3, FACE_CROP_PX, FACE_CROP_PX)
    their_crops = torch.rand(_TERMS, 3, _FRAMES, _THEIR_FACE_PX, _THEIR_FACE_PX) * 2 - 1
    encoded = ours.encode_face(crops)
    seconds = interleaved_medians_s(
        {
            "theirs": lambda: _their_loop(theirs, noise, their_crops),
            "ours": lambda: _our_loop(ours, noise, ours.encode_face(crops)),
            "compiled": lambda: _our_loop(compiled, noise, compiled.encode_face(crops)),
            "ours_encoded": lambda: _our_loop(ours, noise, encoded),
            "their_encoder": lambda: _their_face(theirs, their_crops),
        },
        max(round(_ROUNDS * scale), 2),
    )
    theirs_encoded = seconds["theirs"] - _STEPS * seconds["their_encoder"]
    return {
        "guided_loop_ratio": seconds["theirs"] / seconds["ours"],
        "guided_loop_ratio_compiled": seconds["theirs"] / seconds["compiled"],
        "guided_loop_ratio_encoders_apart": theirs_encoded / seconds["ours_encoded"],
        "guided_loop_their_encoder_share": 1 - theirs_encoded / seconds["theirs"],
    }


def _our_actor() -> DreamActor:
    torch.manual_seed(0)
    actor = DreamActor(actor_config(SMALL)).eval()
    for parameter in actor.dit.parameters():
        # Branches that are born zero should cost what they cost when trained.
        if not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return actor


def _our_loop(actor: DreamActor, noise: Tensor, face_BTC: Tensor) -> Tensor:
    config = actor.config
    references = torch.ones(1, 1, LATENT_CHANNELS, *_GRID)
    pose = torch.ones(1, config.pose_channels, SMALL.frames, *_GRID)
    conditions = Conditions(references, pose, face_BTC)
    return solve(actor, noise, noise[:, :, :0], conditions, _SETTINGS, lambda: None)


def _their_model() -> WanAnimateTransformer3DModel:
    config = actor_config(SMALL)
    torch.manual_seed(0)
    return WanAnimateTransformer3DModel(
        num_attention_heads=config.heads,
        attention_head_dim=config.dim // config.heads,
        in_channels=_THEIR_INPUTS,
        latent_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        text_dim=TEXT_DIM,
        freq_dim=config.frequency_dim,
        ffn_dim=config.ffn_dim,
        num_layers=config.layers,
        image_dim=None,
        motion_encoder_channel_sizes=_THEIR_FACE_CHANNELS,
        motion_encoder_size=_THEIR_FACE_PX,
        motion_style_dim=config.face_width,
        motion_encoder_dim=config.face_width,
        face_encoder_hidden_dim=config.face_width,
        inject_face_latents_blocks=1,
        motion_encoder_batch_size=_TERMS * _FRAMES,
    ).eval()


def _their_loop(model: WanAnimateTransformer3DModel, noise: Tensor, faces_BCTHW: Tensor) -> Tensor:
    prompt = torch.ones(_TERMS, TEXT_TOKENS, TEXT_DIM)
    pose = torch.ones(_TERMS, LATENT_CHANNELS, SMALL.frames, *_GRID)
    # The reference stands before the video, as a frame of its own.
    known = torch.ones(_TERMS, _THEIR_INPUTS - LATENT_CHANNELS, SMALL.frames + 1, *_GRID)
    reference = torch.ones(_TERMS, LATENT_CHANNELS, 1, *_GRID)

    def velocity(made: Tensor, noise_level: float) -> Tensor:
        frames = torch.cat([reference, made.repeat(_TERMS, 1, 1, 1, 1)], dim=2)
        time_B = made.new_full((_TERMS,), noise_level * TIMESTEP_SCALE)
        every = model(torch.cat([frames, known], dim=1), time_B, prompt, None, pose, faces_BCTHW).sample[:, :, 1:]
        free, still, driven = every.chunk(_TERMS)
        moved = _MOTION * (driven - still)
        return free + _REFERENCE * (still - free) + moved

    return integrate(velocity, noise, _SETTINGS)


def _their_face(model: WanAnimateTransformer3DModel, faces_BCTHW: Tensor) -> Tensor:
    """What theirs computes anew in every evaluation."""
    motion = model.motion_encoder(faces_BCTHW.transpose(1, 2).flatten(0, 1))
    return model.face_encoder(motion.unflatten(0, (_TERMS, _FRAMES)))


if __name__ == "__main__":
    print(json.dumps(measure()))
