"""What a base lacks, born from a seed: the encoders of pose and face, and Face Attn.

Every part has a seed of its own, so that one can be made without the others, and a change of one leaves them alone.
"""

import zlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from dreamactor_model.dit.face_attention import FaceAttention
from dreamactor_model.dit.layers import FP32LayerNorm
from dreamactor_model.encoders.face import FaceMLP, FaceMotionEncoder
from dreamactor_model.encoders.pose import PoseEncoder
from dreamactor_model.presets import ActorConfig

_MAKERS: dict[str, Callable[[ActorConfig], nn.Module]] = {
    "pose_encoder": PoseEncoder,
    "face_encoder": FaceMotionEncoder,
    "face_mlp": lambda config: FaceMLP(config.face_width),
    "norm_face": lambda config: FP32LayerNorm(config.dim, config.eps),
    "face_attn": lambda config: FaceAttention(config.dim, config.heads, config.face_width),
}


class Newborn:
    """Tensors of the parts a base lacks; one part at a time is held."""

    def __init__(self, config: ActorConfig, seed: int) -> None:
        self._config, self._seed = config, seed
        self._path, self._state = "", dict[str, Tensor]()

    def has(self, name: str) -> bool:
        """Whether a tensor of `DreamActor` belongs to such a part."""
        return not _MAKERS.keys().isdisjoint(name.split("."))

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name, in single precision."""
        steps = name.split(".")
        depth = next(index for index, step in enumerate(steps) if step in _MAKERS)
        path = ".".join(steps[: depth + 1])
        if path != self._path:
            self._path, self._state = path, self._make(steps[depth], path)
        return self._state[name.removeprefix(f"{path}.")]

    def _make(self, part: str, path: str) -> dict[str, Tensor]:
        entropy = np.random.SeedSequence([self._seed, zlib.crc32(path.encode())]).generate_state(1, np.uint64)[0]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(entropy >> np.uint64(1)))
            return _MAKERS[part](self._config).state_dict()
