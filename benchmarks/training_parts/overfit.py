"""The overfit check: the tiny preset learns one synthetic clip until the full sampling path gives it back.

Two more clips are learnt beside, more rarely: another person in the same moves, and the same person in them with
another mouth. Else the model would never have to look at the reference or the face: the control maps alone would tell
it which frame it is.

References, control maps, face crops -> encoders -> segments of the solver -> VAE -> 8-bit frames: only if every
condition is wired does that come near the clip, and only if each is used do these make it worse: control maps in
another order (the body goes wrong), the other person's face crops (the mouth goes wrong), the other person's reference
(who it is goes wrong). The VAE learns the clip too, since the whole path counts; its own reconstruction is the ceiling.

    python -m benchmarks.training_parts.overfit [SHEET.png]

Legend: B batch, C channels, T video frames, F latent frames, R references, H W rows and columns.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.console import say
from dreamactor_core.contact_sheet import tile
from dreamactor_core.image import write_image
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.settings.training import ObjectiveSettings, StageSettings, VideoVaeStageSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.frames import to_pixels
from dreamactor_model.presets import get_preset, latent_frames
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.stream import MotionArrays, decode_frames, sample_stream
from dreamactor_model.training.diffusion.diffusion_stage import FlowObjective
from dreamactor_model.training.diffusion.loss_weights import loss_weights
from dreamactor_model.training.diffusion.objective import draw_timesteps
from dreamactor_model.training.pixel_losses import to_model_range
from dreamactor_model.training.stages import freeze_others
from dreamactor_model.training.task import Batch
from dreamactor_model.training.vae import vae_start
from dreamactor_model.training.vae.vae_stage import VideoVaeObjective
from dreamactor_model.vae import VideoVAE
from dreamactor_signals.draw import control_maps
from dreamactor_signals.faces import crop_faces

from benchmarks.plain_training import descend
from benchmarks.training_parts.close_up import make_close_up

_SIDE, _FRAMES, _WINDOW = 80, 17, 9
_PERSON, _OTHER_PERSON, _MOUTH, _OTHER_MOUTH = 3, 0, 1, 2
_VAE_ROW = VideoVaeStageSettings(
    steps=2400, learning_rate=3e-3, final_learning_rate=0.01, warmup_steps=20, kl_weight=1e-6, edge_weight=0.3
)
# Short windows teach fast; at every eighth step the whole clip, as it will be read.
_VAE_WINDOW, _WHOLE_EVERY = 5, 8
_FLOW_ROW = StageSettings(steps=1000, batch=4, learning_rate=1.5e-3, final_learning_rate=0.02, warmup_steps=20)
# How often the clip, the other person's and the one with the other mouth are drawn.
_SHARES = (0.6, 0.2, 0.2)
# Half the windows are shown no control maps: else they tell the frame, and the face tokens would not be needed.
_SHOWN = {"references": 0.9, "pose": 0.5, "face": 0.9}
# A few steps near the clean end too, where the last of the solver's are.
_OBJECTIVE = ObjectiveSettings(timestep_deviation=1.5)
# Guidance would overshoot what has been learnt by heart.
_SAMPLING = SamplingSettings(steps=20, guidance_reference=1.0, guidance_motion=1.0, segment_frames=_WINDOW)
_SHOWN_EVERY, _TOLD_EVERY = 2, 100


@dataclass(frozen=True)
class Filmed:
    """A clip: frames (T, H, W, 3), control maps (T, 6, H, W), face crops (T, S, S, 3), loss weights (F, h, w)."""

    frames_THWC: np.ndarray
    control_TCHW: np.ndarray
    crops_THWC: np.ndarray
    weights_FHW: np.ndarray
    boxes_px: np.ndarray

    @classmethod
    def make(cls, person: int, mouth: int) -> "Filmed":
        """Render it."""
        clip = make_close_up(person, mouth, _SIDE, _FRAMES)
        stride = get_preset("tiny").actor.spatial_stride
        return cls(
            clip.frames,
            control_maps(clip.track, (_SIDE, _SIDE)),
            crop_faces(clip.frames, clip.track.face_boxes_px),
            loss_weights(clip.track, stride, ObjectiveSettings()),
            clip.track.face_boxes_px,
        )


def measure(scale: float = 1.0, sheet: Path | None = None) -> dict[str, float | bool | str | None]:
    """PSNR of what the path gives back, and what each wrong condition costs.

    Args:
        sheet: where to write a picture: the clip, what is given back, then with each wrong condition.
    """
    torch.manual_seed(0)
    mine, double = Filmed.make(_PERSON, _MOUTH), Filmed.make(_OTHER_PERSON, _MOUTH)
    others_face = Filmed.make(_OTHER_PERSON, _OTHER_MOUTH)
    learnt = (mine, double, Filmed.make(_PERSON, _OTHER_MOUTH))
    vae = _train_vae(learnt, max(int(_VAE_ROW.steps * scale), 40))
    actor = _train_actor(learnt, vae, max(int(_FLOW_ROW.steps * scale), 40))
    order = np.random.default_rng(1).permutation(_FRAMES)
    made = {
        "right": _sample(actor, vae, mine.frames_THWC[0], mine.control_TCHW, mine.crops_THWC),
        "shuffled": _sample(actor, vae, mine.frames_THWC[0], mine.control_TCHW[order], mine.crops_THWC),
        "other_face": _sample(actor, vae, mine.frames_THWC[0], mine.control_TCHW, others_face.crops_THWC),
        "other_reference": _sample(actor, vae, double.frames_THWC[0], mine.control_TCHW, mine.crops_THWC),
    }
    if sheet is not None:
        rows = [mine.frames_THWC, *made.values(), double.frames_THWC]
        cells = [frame for row in rows for frame in row[::_SHOWN_EVERY]]
        write_image(sheet, tile(cells, columns=len(cells) // len(rows)))
    return _figures(mine, double, made) | {"overfit_vae_ceiling_db": _psnr_db(_through(vae, mine), mine.frames_THWC)}


def _figures(mine: Filmed, double: Filmed, made: dict[str, np.ndarray]) -> dict[str, float | bool | str | None]:
    psnr = {name: _psnr_db(frames, mine.frames_THWC) for name, frames in made.items()}
    mouth = {name: _psnr_db(frames, mine.frames_THWC, _mouths(mine.boxes_px)) for name, frames in made.items()}
    # Nearer to the other person in the same moves than before.
    towards = _psnr_db(made["other_reference"], double.frames_THWC) - _psnr_db(made["right"], double.frames_THWC)
    return {
        "overfit_psnr_db": psnr["right"],
        "overfit_pose_shuffle_drop_db": psnr["right"] - psnr["shuffled"],
        "overfit_face_swap_mouth_drop_db": mouth["right"] - mouth["other_face"],
        "overfit_reference_swap_drop_db": psnr["right"] - psnr["other_reference"],
        "overfit_reference_swap_towards_db": towards,
    }


def _train_vae(clips: Sequence[Filmed], steps: int) -> VideoVAE:
    """As stage vae, on these clips; the statistics are the first one's."""
    vae, row = VideoVAE(get_preset("tiny").vae), _VAE_ROW.model_copy(update={"steps": steps})
    videos = [torch.from_numpy(clip.frames_THWC) for clip in clips]
    vae_start.prepare(vae, to_model_range(torch.cat(videos)[:, None]))
    random = np.random.default_rng(0)

    def batch(step: int) -> Batch:
        video_THWC = videos[_draw_clip(random)]
        if step % _WHOLE_EVERY == 0:
            return {"video_BTHWC": video_THWC[None]}
        # Cut where latents begin and end.
        start = 4 * int(random.integers(latent_frames(_FRAMES) - latent_frames(_VAE_WINDOW), endpoint=True))
        return {"video_BTHWC": video_THWC[None, start : start + _VAE_WINDOW]}

    def psnr_db() -> float:
        return _psnr_db(_through(vae, clips[0]), clips[0].frames_THWC)

    descend(VideoVaeObjective(vae, row), batch, row, fused=True, after_step=_teller("vae", psnr_db))
    vae_start.finish(vae.eval())
    with torch.no_grad():
        raw_CN = vae.encode(to_model_range(videos[0][None]))[0].flatten(1)
        vae.set_statistics(raw_CN.mean(dim=1), raw_CN.std(dim=1))
    return vae


def _draw_clip(random: np.random.Generator) -> int:
    """Which of the clips is learnt from next."""
    return int(random.choice(len(_SHARES), p=_SHARES))


def _train_actor(clips: Sequence[Filmed], vae: VideoVAE, steps: int) -> DreamActor:
    """All of it at once, on random windows, so that a place in the window tells nothing of the frame."""
    actor, row = DreamActor(get_preset("tiny").actor), _FLOW_ROW.model_copy(update={"steps": steps})
    # As in stage 3. Where eyes and mouth are nobody has taught here; a crop's usual places are nearly right.
    freeze_others(actor, ("base", "face_encoder", "face"))
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    windows, clip = [_Windows(each, vae, random, generator) for each in clips], clips[0]

    def psnr_db() -> float:
        return _psnr_db(_sample(actor, vae, clip.frames_THWC[0], clip.control_TCHW, clip.crops_THWC), clip.frames_THWC)

    def batch(_: int) -> Batch:
        drawn = [windows[_draw_clip(random)].draw() for _ in range(row.batch)]
        return {name: torch.stack([window[name] for window in drawn]) for name in drawn[0]}

    objective = FlowObjective(actor, ("reference", "pose", "face"))
    descend(objective, batch, row, fused=True, after_step=_teller("transformer", psnr_db))
    return actor.eval()


class _Windows:
    """Random windows of a clip, each with its noise and with what it is shown."""

    def __init__(self, clip: Filmed, vae: VideoVAE, random: np.random.Generator, generator: torch.Generator) -> None:
        video_THWC = torch.from_numpy(clip.frames_THWC)
        with torch.no_grad():
            self._latents_CFHW = vae.encode(to_model_range(video_THWC[None]))[0]
            self._images_RCHW = vae.encode(to_model_range(video_THWC[:, None]))[:, :, 0]
        self._control_CTHW = torch.from_numpy(clip.control_TCHW).transpose(0, 1)
        self._crops_TCHW = torch.from_numpy(clip.crops_THWC).permute(0, 3, 1, 2)
        self._weights_FHW = torch.from_numpy(clip.weights_FHW)
        self._random, self._generator = random, generator

    def draw(self) -> Batch:
        """One, without the batch's axis."""
        count = latent_frames(_WINDOW)
        start = int(self._random.integers(self._latents_CFHW.shape[1] - count, endpoint=True))
        latents, frames = slice(start, start + count), slice(4 * start, 4 * start + _WINDOW)
        clean_CFHW = self._latents_CFHW[:, latents]
        return {
            "latents_BCFHW": clean_CFHW,
            "noise_BCFHW": torch.randn(clean_CFHW.shape, generator=self._generator),
            "timestep_B": draw_timesteps(1, _OBJECTIVE, self._generator)[0],
            # As in a second segment.
            "carried_B": torch.tensor(start > 0),
            "references_BRCHW": self._images_RCHW[[int(self._random.integers(_FRAMES))]],
            "control_BCTHW": self._control_CTHW[:, frames],
            "crops_BTCHW": self._crops_TCHW[frames],
            "weights_BFHW": self._weights_FHW[latents],
            **{f"keep_{name}_B": torch.tensor(self._random.random() < share) for name, share in _SHOWN.items()},
        }


def _teller(what: str, psnr_db: Callable[[], float]) -> Callable[[int], None]:
    """Says now and then how far it is."""
    began = time.monotonic()

    def tell(step: int) -> None:
        if step % _TOLD_EVERY == 0:
            say(f"{what}: step {step}, {psnr_db():.1f} dB, {time.monotonic() - began:.0f} s")

    return tell


@torch.no_grad()
def _sample(
    actor: DreamActor, vae: VideoVAE, image_HWC: np.ndarray, control_TCHW: np.ndarray, crops_THWC: np.ndarray
) -> np.ndarray:
    """(T, H, W, 3) uint8 through the whole path, in two segments."""
    references = References(vae.encode(to_model_range(torch.from_numpy(image_HWC)[None, None]))[:, :, 0])
    latents = sample_stream(actor, references, MotionArrays(control_TCHW, crops_THWC), _SAMPLING)
    return np.stack([to_pixels(frame) for frame in decode_frames(vae, latents, _FRAMES)])


@torch.no_grad()
def _through(vae: VideoVAE, clip: Filmed) -> np.ndarray:
    latents = vae.encode(to_model_range(torch.from_numpy(clip.frames_THWC)[None]))
    return np.stack([to_pixels(frame) for frame in vae.decode(latents)[0].transpose(0, 1)])


def _mouths(boxes_px: np.ndarray) -> np.ndarray:
    """(T, H, W) true in the lower middle of each face."""
    inside_THW = np.zeros((_FRAMES, _SIDE, _SIDE), bool)
    for mask_HW, (x0, y0, x1, y1) in zip(inside_THW, boxes_px, strict=True):
        width, height = x1 - x0, y1 - y0
        mask_HW[int(y0 + 0.6 * height) : int(y1), int(x0 + 0.2 * width) : int(x0 + 0.8 * width)] = True
    return inside_THW


def _psnr_db(frames_THWC: np.ndarray, truth_THWC: np.ndarray, inside_THW: np.ndarray | None = None) -> float:
    """Of all pixels, or of those inside, together."""
    error = np.square(frames_THWC.astype(float) - truth_THWC)
    return float(10 * np.log10(255**2 / (error if inside_THW is None else error[inside_THW]).mean()))


if __name__ == "__main__":
    print(json.dumps(measure(sheet=Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
