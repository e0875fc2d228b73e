"""Stages 1, 2, 3: the transformer learns by flow matching on cached latents (paper 3.4).

Legend: B batch, C channels, T = 4F - 3 video frames, F latent frames, R references, H W rows and columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.settings.training import (
    ClipStageSettings,
    Condition,
    DiffusionStageSettings,
    LoraStageSettings,
    TrainingSettings,
)
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import Draw, WindowSampler
from dreamactor_dataset.shards.loss import LossBudget, read_or_substitute
from torch import Tensor, nn

from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import load_checkpoint
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.flops import Workload, prepare_flops, step_flops
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.lora.adapters import add_adapters
from dreamactor_model.lora.folder import save_adapters
from dreamactor_model.memory.sequence_parallel import sequence_group, split_sequence
from dreamactor_model.presets import get_preset
from dreamactor_model.training.data.latents import LatentClips
from dreamactor_model.training.diffusion.loss_weights import loss_weights
from dreamactor_model.training.diffusion.objective import (
    draw_timesteps,
    flow_loss,
    loss_by_noise,
    make_flow_sample,
)
from dreamactor_model.training.diffusion.validation import ValidationClip
from dreamactor_model.training.diffusion.warm_up import shown_conditions
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.training.randomness import step_generator, step_random
from dreamactor_model.training.run.meters import FLOPS, TOKENS
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.stages import Stage, base_folder, freeze_others, stage_settings
from dreamactor_model.training.task import Batch

_NUMBERS: dict[Stage, int] = {"1": 1, "2": 2, "3": 3, "lora": 4}


class FlowObjective(nn.Module):
    """The flow-matching loss of the actor under the stage's conditions."""

    def __init__(self, actor: DreamActor, conditions: Sequence[Condition]) -> None:
        super().__init__()
        self.actor = actor
        self._conditions = frozenset(conditions)

    def forward(
        self,
        latents_BCFHW: Tensor,
        noise_BCFHW: Tensor,
        timestep_B: Tensor,
        carried_B: Tensor,
        references_BRCHW: Tensor,
        control_BCTHW: Tensor,
        weights_BFHW: Tensor,
        keep_references_B: Tensor,
        keep_pose_B: Tensor,
        keep_face_B: Tensor,
        crops_BTCHW: Tensor | None = None,
        reference_control_BRCHW: Tensor | None = None,
        warp_BCFHW: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Losses of a batch and what it was worth.

        Control maps and crops are uint8; crops are needed where a face drives, control maps of references where these
        carry a pose, the warp where the model reads one.
        """
        sample = make_flow_sample(latents_BCFHW, noise_BCFHW, timestep_B, carried_B)
        encoded = self._encode(references_BRCHW, control_BCTHW, crops_BTCHW, reference_control_BRCHW, warp_BCFHW)
        kept = encoded.keep(references_B=keep_references_B, pose_B=keep_pose_B, face_B=keep_face_B)
        predicted_BCFHW = self.actor(
            sample.noisy_BCFHW,
            sample.timesteps_BF,
            kept.references_BRCHW,
            kept.pose_BCFHW,
            kept.face_BTC,
            kept.reference_pose_BRCHW,
            kept.warp_BCFHW,
        )
        return {
            "loss": flow_loss(predicted_BCFHW, sample, weights_BFHW),
            **loss_by_noise(predicted_BCFHW.detach(), sample, weights_BFHW, timestep_B),
            **self._work(latents_BCFHW, references_BRCHW),
        }

    def _work(self, latents_BCFHW: Tensor, references_BRCHW: Tensor) -> dict[str, Tensor]:
        """Tokens, and operations as MFU counts them: once forward, twice backward, nothing computed again."""
        config, (batch, _, frames, rows, columns) = self.actor.config, latents_BCFHW.shape
        tokens_a_frame = rows * columns // config.patch_size**2
        load = Workload(batch, references_BRCHW.shape[1], frames, tokens_a_frame, "face" in self._conditions)
        flops = 3 * (step_flops(config, load) + prepare_flops(config, load))
        return {TOKENS: latents_BCFHW.new_tensor(float(load.tokens)), FLOPS: latents_BCFHW.new_tensor(float(flops))}

    def _encode(
        self,
        references_BRCHW: Tensor,
        control_BCTHW: Tensor,
        crops_BTCHW: Tensor | None,
        reference_control_BRCHW: Tensor | None,
        warp_BCFHW: Tensor | None,
    ) -> Conditions:
        """What the stage lets the model see; the rest is zeros or None."""
        pose_BCFHW = self.actor.encode_pose(control_BCTHW.float() / 255)
        face_BTC = reference_pose_BRCHW = None
        if "face" in self._conditions:
            assert crops_BTCHW is not None, "a face drives"
            face_BTC = self.actor.encode_face(crops_BTCHW.float() / 255)
        if reference_control_BRCHW is not None:
            reference_pose_BRCHW = self.actor.encode_reference_pose(reference_control_BRCHW.float() / 255)
        encoded = Conditions(
            references_BRCHW,
            pose_BCFHW if "pose" in self._conditions else torch.zeros_like(pose_BCFHW),
            face_BTC,
            reference_pose_BRCHW,
            warp_BCFHW if "pose" in self._conditions else None,
        )
        return encoded if "reference" in self._conditions else encoded.without_reference()


class DiffusionTask:
    """Windows of clips drawn by the data set's sampler."""

    def __init__(
        self,
        actor: DreamActor,
        vae_folder: Path,
        clips: ClipSet,
        sampler: WindowSampler,
        latents: LatentClips,
        spec: TrainingSpec,
    ) -> None:
        self._training: TrainingSettings = spec.parsed_settings().training
        row = stage_settings(self._training, spec.stage)
        assert isinstance(row, ClipStageSettings)
        actor.dit.checkpointing = self._training.activation_checkpointing
        if self._training.compile:
            # Adapters and shared tokens are in place; names of weights and DeepSpeed's view of the blocks stay.
            actor.compile_blocks()
        self.module = FlowObjective(actor, row.conditions)
        self._vae_folder, self._clips, self._sampler, self._latents = vae_folder, clips, sampler, latents
        settings = spec.parsed_settings()
        self._loader = SampleLoader(clips, settings.dataset.sampling, settings.signals.guidance)
        self._budget = LossBudget(clips, settings.dataset.shards.loss_budget, spec.work_dir)
        self._spec, self._row = spec, row
        self._shown: ValidationClip | None = None
        if self._training.validate_every is not None:
            self._shown = ValidationClip(spec.manifest, vae_folder, settings, uses_face="face" in row.conditions)
        self._seed = _stage_seed(spec)

    @classmethod
    def from_spec(cls, spec: TrainingSpec) -> "DiffusionTask":
        """The task of a run: weights of the stage before, clips, sampler."""
        settings = spec.parsed_settings()
        sampling, training = settings.dataset.sampling, settings.training
        actor = initial_actor(spec)
        if training.sequence_parallel > 1:
            split_sequence(actor, sequence_group(training.sequence_parallel))
        row = stage_settings(training, spec.stage)
        assert isinstance(row, ClipStageSettings)
        sampling = sampling.at_most(row.max_frames)
        clips = ClipSet.load(spec.manifest, "train", sampling, settings.dataset.balance)
        vae_folder = spec.starts_from["vae"] if spec.stage == "1" else _previous(spec) / VAE_FOLDER
        sampler = WindowSampler(clips.table, sampling, seed=_stage_seed(spec), batch_size=row.batch)
        warps = actor.config.reference_warp
        latents = LatentClips(Path(training.latents_dir), clips, vae_folder, warps=warps)
        return cls(actor, vae_folder, clips, sampler, latents, spec)

    def batch(self, step: int, slot: int) -> Batch:
        """Latents, noise, timesteps, conditions and loss weights of the step's draws."""
        draws = self._sampler.batch(step * self._training.micro_batches + slot)
        generator = step_generator(self._seed, step, slot)
        read = [read_or_substitute(draw, self._sample, self._sampler, self._budget) for draw in draws]
        draws, samples = tuple(draw for draw, _ in read), [sample for _, sample in read]
        batch = {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}
        return batch | {
            "noise_BCFHW": torch.randn(batch["latents_BCFHW"].shape, generator=generator),
            "timestep_B": draw_timesteps(len(draws), self._training.objective, generator),
            "carried_B": torch.tensor([draw.carried for draw in draws]),
            **shown_conditions(draws, self._row.warm_up, step, step_random(self._seed, step, slot)),
        }

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """Names of the clips in the batch."""
        return [
            self._clips.rows[draw.clip_index].clip_id
            for draw in self._sampler.batch(step * self._training.micro_batches + slot)
        ]

    def make_video(self, path: Path | None) -> None:
        """Of a held-out clip."""
        assert self._shown is not None, "training.validate_every asks for videos"
        self._shown.make_video(self.module.actor, path)

    def save(self, folder: Path) -> Mapping[str, float]:
        """Write the actor and the VAE whose latents it reads; of stage lora the adapters alone."""
        if isinstance(self._row, LoraStageSettings):
            save_adapters(self.module.actor, self._row, _previous(self._spec), folder)
            return {}
        settings = self._spec.parsed_settings()
        about = {
            "stage": self._spec.stage,
            "steps": self._row.steps,
            "preset": settings.model.preset,
            "area": settings.dataset.sampling.area,
            "max_references": settings.dataset.sampling.max_references,
            "max_frames": settings.dataset.sampling.at_most(self._row.max_frames).max_frames,
            "guidance": settings.signals.guidance,
        }
        save_finished(self.module.actor, self._vae_folder, folder, about=about)
        return {}

    def _sample(self, draw: Draw) -> dict[str, np.ndarray]:
        window = self._latents.window(draw)
        parts = self._loader.open(draw)
        motion = parts.motion()
        stride = self.module.actor.config.spatial_stride
        arrays = {
            "latents_BCFHW": window.latents_CFHW,
            "references_BRCHW": window.references_RCHW,
            "control_BCTHW": motion.control_TCHW.transpose(1, 0, 2, 3),
            "weights_BFHW": loss_weights(motion.track, stride, self._training.objective),
        }
        if window.warp_CFHW is not None:
            arrays["warp_BCFHW"] = window.warp_CFHW
        if "face" in self._row.conditions:
            arrays["crops_BTCHW"] = parts.face_crops().transpose(0, 3, 1, 2)
        if self.module.actor.config.reference_pose:
            arrays["reference_control_BRCHW"] = parts.reference_control()
        return arrays


def _previous(spec: TrainingSpec) -> Path:
    (folder,) = spec.starts_from.values()
    return folder


def _stage_seed(spec: TrainingSpec) -> int:
    """Stages must not show the same noise and windows again."""
    return spec.parsed_settings().training.seed + _NUMBERS[spec.stage]


def initial_actor(spec: TrainingSpec) -> DreamActor:
    """What a stage starts from, with those parameters learning that learn in it.

    Stage 1 begins with the base, or from nothing, and is given the pretrained face encoder; stages 2 and 3 go on from
    the averaged weights before them; stage lora puts adapters into a finished model.

    Raises:
        TrainingError: the base is missing or of another preset.
    """
    row = stage_settings(spec.parsed_settings().training, spec.stage)
    # Single precision, whatever they were kept in: AdamW's steps are smaller than bfloat16 can tell apart.
    actor = _first_actor(spec) if spec.stage == "1" else load_checkpoint(_previous(spec), DreamActor).float().train()
    if isinstance(row, LoraStageSettings):
        add_adapters(actor, row.rank, row.alpha)
    else:
        assert isinstance(row, DiffusionStageSettings)
        freeze_others(actor, row.train)
    return actor


def _first_actor(spec: TrainingSpec) -> DreamActor:
    settings = spec.parsed_settings()
    config, base = get_preset(settings.model.preset).actor, base_folder(settings.training)
    actor = DreamActor(config) if base is None else load_checkpoint(base, DreamActor).float().train()
    if actor.config != config and config == replace(actor.config, reference_warp=True):
        actor = actor.with_warp()
    if actor.config != config:
        raise TrainingError(f"the base is of another preset than {settings.model.preset}", path=base)
    actor.choose_reference_attention(settings.training.reference_attention)
    encoder = load_checkpoint(spec.starts_from["face"], FaceMotionEncoder)
    actor.face_encoder.load_state_dict(encoder.state_dict())
    return actor
