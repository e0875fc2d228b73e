"""Stage refiner: what the model makes of training clips is mended by the reference's own pixels (`refiner`).

The frozen model is part of the data: a batch is made by it, in the thread that prepares batches, exactly as `animate`
makes a video. One made clip serves several steps, each at other frames, because making one takes longer than a step.

Legend: B clips, T frames of each, C channels, H W rows and columns.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.settings.training import RefinerStageSettings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_dataset.shards.loss import LossBudget, read_or_substitute
from torch import Tensor, nn

from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.loaded import LoadedModel, as_trained
from dreamactor_model.checkpoint import load_checkpoint, read_about, save_checkpoint, verify_checkpoint
from dreamactor_model.presets import RefinerConfig, get_preset
from dreamactor_model.refiner import Refiner
from dreamactor_model.training.finished import REFINER_FOLDER, VAE_FOLDER, save_finished
from dreamactor_model.training.pixel_losses import PerceptualTerm, as_frames, edge_loss, to_model_range
from dreamactor_model.training.randomness import step_random
from dreamactor_model.training.refiner.disguise import disguise
from dreamactor_model.training.refiner.head_squares import cut_heads
from dreamactor_model.training.refiner.made_clips import ClipMaker, MadeClip, stack_frames
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.task import Batch

# Not those of the diffusion stages, whose seeds are the setting's and the next four numbers.
_SEED_OFFSET = 5


class RefinerObjective(nn.Module):
    """L1 of pixels and edges, and LPIPS where it has a weight; pixels and LPIPS once more of the heads, enlarged."""

    def __init__(self, refiner: Refiner, row: RefinerStageSettings) -> None:
        super().__init__()
        self.refiner = refiner
        self._row = row
        self._perceptual = PerceptualTerm(row.perceptual_weight)

    def forward(
        self,
        decoded_BTHWC: Tensor,
        warp_BTHWC: Tensor,
        control_BTCHW: Tensor,
        truth_BTHWC: Tensor,
        heads_BT3: Tensor,
    ) -> dict[str, Tensor]:
        """Losses of uint8 frames; `decoded_l1` is what there was to mend."""
        decoded_NCHW, warp_NCHW, truth_NCHW = (
            as_frames(to_model_range(video_BTHWC)) for video_BTHWC in (decoded_BTHWC, warp_BTHWC, truth_BTHWC)
        )
        refined_NCHW = self.refiner(decoded_NCHW, warp_NCHW, control_BTCHW.flatten(0, 1).float() / 255)
        parts = {
            "pixel_l1": (refined_NCHW - truth_NCHW).abs().mean(),
            "edge_l1": edge_loss(refined_NCHW, truth_NCHW),
            "decoded_l1": (decoded_NCHW - truth_NCHW).abs().mean(),
        }
        loss = parts["pixel_l1"] + self._row.edge_weight * parts["edge_l1"]
        loss = self._perceptual.add(parts, loss, refined_NCHW, truth_NCHW)
        if self._row.head_weight:
            loss = loss + self._row.head_weight * self._of_heads(parts, refined_NCHW, truth_NCHW, heads_BT3)
        return {"loss": loss, **parts}

    def _of_heads(
        self, parts: dict[str, Tensor], refined_NCHW: Tensor, truth_NCHW: Tensor, heads_BT3: Tensor
    ) -> Tensor:
        """Of every head alike, however few pixels it has."""
        made, true = (cut_heads(frames_NCHW, heads_BT3.flatten(0, 1)) for frames_NCHW in (refined_NCHW, truth_NCHW))
        parts["head_l1"] = (made - true).abs().mean()
        return self._perceptual.add(parts, parts["head_l1"], made, true, name="head_lpips")


class RefinerTask:
    """Frames of made clips."""

    def __init__(
        self, refiner: Refiner, maker: ClipMaker, clips: ClipSet, sampler: WindowSampler, spec: TrainingSpec
    ) -> None:
        settings = spec.parsed_settings()
        self._row: RefinerStageSettings = settings.training.refiner
        self.module = RefinerObjective(refiner, self._row)
        self._maker, self._clips, self._sampler, self._spec = maker, clips, sampler, spec
        self._micro_batches, self._seed = settings.training.micro_batches, _seed(spec)
        self._budget = LossBudget(clips, settings.dataset.shards.loss_budget, spec.work_dir)
        # Of each slot, the clips that it looks at now and their place in the sampler's sequence.
        self._made: dict[int, tuple[int, list[MadeClip]]] = {}

    @classmethod
    def from_spec(cls, spec: TrainingSpec) -> "RefinerTask":
        """The task of a run: the finished model makes the clips."""
        settings = spec.parsed_settings()
        config = get_preset(settings.model.preset).refiner
        assert config is not None, "the launcher takes models over that need none"
        device = "cuda" if torch.cuda.is_available() else "cpu"
        here = settings.model_copy(update={"model": settings.model.model_copy(update={"device": device})})
        model = replace(LoadedModel.load(_model_folder(spec), here), fineness=config.fineness)
        row = settings.training.refiner
        window = settings.dataset.sampling.at_most(row.max_frames)
        clips = ClipSet.load(spec.manifest, "train", window, settings.dataset.balance, fineness=config.fineness)
        loader = SampleLoader(clips, window, settings.signals.guidance)
        maker = ClipMaker(model, loader, as_trained(settings.sampling, model.about))
        sampler = WindowSampler(clips.table, window, seed=_seed(spec), batch_size=row.batch)
        return cls(_refiner(config, spec.starts_from.get("refiner")).train(), maker, clips, sampler, spec)

    def batch(self, step: int, slot: int) -> Batch:
        """The step's frames of the clips that the slot looks at."""
        turn, part = divmod(step, self._row.visits)
        clips = self._clips_of(turn, slot)
        order_T = step_random(self._seed, turn, slot).permutation(len(clips[0].truth_THWC))
        chosen = np.arange(part * self._row.frames, (part + 1) * self._row.frames)
        frames = np.sort(np.take(order_T, chosen, mode="wrap"))
        random = step_random(self._seed + 1, step, slot)
        shares = self._row.spoiled_share, self._row.recoloured_share
        return stack_frames([disguise(clip.at(frames), *shares, random) for clip in clips])

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """Names of the clips in the batch."""
        place = self._place(step // self._row.visits, slot)
        return [self._clips.clip_id(draw.clip_index) for draw in self._sampler.batch(place)]

    def save(self, folder: Path) -> Mapping[str, float]:
        """Write the whole model again, its refiner with it."""
        source, refiner_folder = _model_folder(self._spec), self._spec.work_dir / REFINER_FOLDER
        save_checkpoint(self.module.refiner, refiner_folder, about={"stage": "refiner", "steps": self._row.steps})
        actor, vae_folder = load_checkpoint(source, DreamActor), source / VAE_FOLDER
        about = read_about(source) | {"fineness": self.module.refiner.config.fineness}
        save_finished(actor, vae_folder, folder, about=about, refiner_folder=refiner_folder)
        return {}

    def _clips_of(self, turn: int, slot: int) -> list[MadeClip]:
        place = self._place(turn, slot)
        if self._made.get(slot, (None, []))[0] != place:
            draws = self._sampler.batch(place)
            made = [read_or_substitute(draw, self._maker.make, self._sampler, self._budget)[1] for draw in draws]
            self._made[slot] = (place, made)
        return self._made[slot][1]

    def _place(self, turn: int, slot: int) -> int:
        return turn * self._micro_batches + slot


def _refiner(config: RefinerConfig, start: Path | None) -> Refiner:
    """A newborn refiner, or one that knows what a finished one learned, of coarser frames perhaps."""
    refiner = Refiner(config)
    if start is None:
        return refiner
    verify_checkpoint(start)
    learned = load_checkpoint(start, Refiner)
    if learned.config.widths != config.widths:
        raise TrainingError("training.refiner.start is of another size", path=start, remedy="Start from nothing: null")
    refiner.load_state_dict(learned.state_dict())
    return refiner


def _model_folder(spec: TrainingSpec) -> Path:
    return spec.starts_from["3"]


def _seed(spec: TrainingSpec) -> int:
    return spec.parsed_settings().training.seed + _SEED_OFFSET
