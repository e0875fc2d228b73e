"""One mmpose whole-body network: a frame and a box in, 133 keypoints out."""

import difflib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from checkpoint import REMEDY
from refusal import Refusal
from shims import stand_ins

KEYPOINTS = 133
_CONFIGS = "wholebody_2d_keypoint"


class Estimator:
    """A top-down whole-body estimator of the RTMPose, RTMW or DWPose families.

    Args:
        config: path of an mmpose config, or the name of one that ships with mmpose.
        weights: its state dict.
        device: cpu, cuda, or auto for cuda where there is one.
        threads: of torch on the CPU.

    Raises:
        Refusal: no such config, one without 133 keypoints, weights of another network, or no such device.
    """

    def __init__(self, config: str, weights: dict[str, torch.Tensor], *, device: str, threads: int) -> None:
        torch.set_num_threads(threads)
        path = find_config(config)
        self._device = _device(device)
        with stand_ins():
            from mmengine.dataset import Compose, pseudo_collate
            from mmpose.apis import init_model
        self._collate = pseudo_collate
        self._model = init_model(str(path), device="cpu")
        self._check_layout(path)
        _load(self._model, weights)
        self._model.to(self._device)
        self._score_of_certainty = score_of_certainty(self._model.cfg)
        self._prepare = Compose(self._model.cfg.test_dataloader.dataset.pipeline)
        self.description = self._describe(path)

    def estimate(self, frame: np.ndarray, box_px: np.ndarray) -> np.ndarray:
        """(133, 3) float32 x, y in pixels from the frame's corner and score in [0, 1].

        Args:
            frame: (H, W, 3) uint8 RGB.
            box_px: (4,) x0 y0 x1 y1 around the whole person.
        """
        # mmpose reads BGR, and gives positions on the grid of pixel indices.
        sample = {
            "img": np.ascontiguousarray(frame[..., ::-1]),
            "bbox": box_px[None],
            "bbox_score": np.ones(1, np.float32),
        }
        batch = self._collate([self._prepare(sample | self._model.dataset_meta)])
        with torch.inference_mode():
            found = self._model.test_step(batch)[0].pred_instances
        points_px = np.asarray(found.keypoints, dtype=np.float32).reshape(KEYPOINTS, 2) + 0.5
        scores = np.asarray(found.keypoint_scores, dtype=np.float32).reshape(KEYPOINTS, 1)
        return np.concatenate([points_px, np.clip(scores / self._score_of_certainty, 0, 1)], axis=1)

    def _check_layout(self, path: Path) -> None:
        count = self._model.dataset_meta["num_keypoints"]
        if count != KEYPOINTS or "test_dataloader" not in self._model.cfg:
            raise Refusal(
                f"{path.name} estimates {count} keypoints, not the {KEYPOINTS} of COCO-WholeBody",
                kind="settings",
                remedy="Choose a config of mmpose's wholebody_2d_keypoint",
            )

    def _describe(self, path: Path) -> dict[str, Any]:
        from mmpose import __version__

        return {"config": path.stem, "mmpose": __version__, "torch": torch.__version__, "device": str(self._device)}


def find_config(config: str) -> Path:
    """A config file by path, or by its name among those that ship with mmpose.

    Raises:
        Refusal: neither.
    """
    if config.endswith(".py"):
        path = Path(config)
        if path.is_file():
            return path
        raise Refusal("no such mmpose config", kind="settings", remedy="Correct signals.mmpose.config")
    shipped = {path.stem: path for path in (_mmpose_folder() / ".mim" / "configs" / _CONFIGS).rglob("*.py")}
    if config not in shipped:
        close = [name for name in sorted(shipped) if config in name] or difflib.get_close_matches(config, shipped)
        raise Refusal(
            f"mmpose ships no whole-body config {config!r}",
            kind="settings",
            remedy=f"Choose e.g. {' or '.join((close or sorted(shipped))[:3])}, or give a .py file",
        )
    return shipped[config]


def score_of_certainty(config: Any) -> float:
    """What a network scores where it is certain: RTMPose about 1, RTMW about 10.

    A SimCC head's scores are raw logits. Its loss compares softmax(beta * logits) with softmax(label_beta * label), and
    labels peak at 1: at its best, the logits' peak is label_beta / beta.
    """
    loss = config.model.head.loss
    if isinstance(loss, dict) and loss.get("type") == "KLDiscretLoss" and loss.get("label_softmax"):
        return float(loss.get("label_beta", 10.0)) / float(loss.get("beta", 1.0))
    return 1.0


def _mmpose_folder() -> Path:
    spec = find_spec("mmpose")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise Refusal("no CUDA device is to be had", kind="settings", remedy="Set signals.mmpose.device to cpu or auto")
    return torch.device(name)


def _load(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Every tensor of the network must be there. Others, left by teachers and averages, are of no use here."""
    wanted = model.state_dict()
    odd = [name for name in wanted if name not in weights or weights[name].shape != wanted[name].shape]
    if odd:
        raise Refusal(
            f"does not fit the config: {len(odd)} of {len(wanted)} tensors are missing or of another shape,"
            f" first {odd[0]}",
            kind="weights",
            remedy=REMEDY,
        )
    model.load_state_dict({name: weights[name] for name in wanted})
