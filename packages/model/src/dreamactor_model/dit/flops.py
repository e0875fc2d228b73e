"""Floating-point operations of the transformer, counted by formula: 2 for each multiplication of a matrix product.

Only matrix products count, as torch's own counter has it; the rest is under one per cent.

Legend: B batch, R references, F latent frames, N = R + F, L tokens of a frame, D width, M face tokens of a latent
frame, X = heads x M, S text tokens.
"""

from dataclasses import dataclass

from dreamactor_model.presets import TEMPORAL_STRIDE, ActorConfig


@dataclass(frozen=True)
class Workload:
    """What one evaluation works on; a token is a patch of latents."""

    batch: int
    references: int
    frames: int
    tokens_a_frame: int
    has_face: bool = True

    @property
    def tokens(self) -> int:
        """Tokens in the run, references and video, of the whole batch."""
        return self.batch * (self.references + self.frames) * self.tokens_a_frame


def step_flops(config: ActorConfig, load: Workload) -> int:
    """Of one denoising step, after `prepare`, where references attend to the video (`reference_attention` joint)."""
    video = load.batch * load.frames * load.tokens_a_frame
    patch_values = config.latent_channels * config.patch_size**2
    ends = 2 * 2 * video * patch_values * config.dim
    return ends + _time_flops(config, load) + config.layers * _block_flops(config, load)


def prepare_flops(config: ActorConfig, load: Workload) -> int:
    """Of what all steps of a segment share: tokens of references and pose, keys and values of text, folded faces."""
    dim, patch = config.dim, config.patch_size**2
    frames_values = load.references * config.latent_channels + load.frames * config.motion_channels
    patches = 2 * load.batch * load.tokens_a_frame * frames_values * patch * dim
    face_tokens = load.batch * load.frames * TEMPORAL_STRIDE if load.has_face else 0
    fold = face_tokens * (4 * config.face_width * dim + 4 * dim * dim + 2 * dim)
    if config.text_dim is None:
        return patches + config.layers * fold
    text = config.text_tokens
    return patches + 2 * text * (config.text_dim + dim) * dim + config.layers * (fold + 4 * text * dim * dim)


def _block_flops(config: ActorConfig, load: Workload) -> int:
    """Self, text, Ref, Face, FFN."""
    dim, batch = config.dim, load.batch
    run = (load.references + load.frames) * load.tokens_a_frame
    video, references = load.frames * load.tokens_a_frame, load.references * load.tokens_a_frame
    to_self = 8 * run * dim * dim + 4 * run * run * dim
    text = 0 if config.text_dim is None else 4 * run * dim * dim + 4 * run * config.text_tokens * dim
    ref = 4 * (video + references) * dim * dim + 4 * video * references * dim if references else 0
    face = 4 * video * config.heads * TEMPORAL_STRIDE * dim if load.has_face else 0
    return batch * (to_self + text + ref + face + 4 * run * dim * config.ffn_dim)


def _time_flops(config: ActorConfig, load: Workload) -> int:
    frames = load.batch * (load.references + load.frames)
    return 2 * frames * (config.frequency_dim + 7 * config.dim) * config.dim
