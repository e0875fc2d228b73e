"""The part of a finished actor that makes face motion tokens of crops, alone: E_f and its MLP.

An audio encoder imitates one face branch and is of no use with another; the branch's checksum tells which.
Legend: K crops, C width of a token, H W rows and columns.
"""

import hashlib
from pathlib import Path

from dreamactor_core.errors import WeightsError
from torch import Tensor, nn

from dreamactor_model.checkpoint.folder import read_config, weight_files
from dreamactor_model.checkpoint.tensors import StoredTensor, list_tensors
from dreamactor_model.encoders.face import FaceMLP, FaceMotionEncoder
from dreamactor_model.presets import ActorConfig

_PARTS = ("face_encoder.", "face_mlp.")


class FaceBranch(nn.Module):
    """E_f and MLP, under the names they have in `DreamActor`."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.face_encoder = FaceMotionEncoder(config)
        self.face_mlp = FaceMLP(config.face_width)

    def forward(self, crops_KCHW: Tensor) -> Tensor:
        """Crops (K, 3, 224, 224) in [0, 1] -> tokens (K, C)."""
        return self.face_mlp(self.face_encoder(crops_KCHW))


def load_face_branch(folder: Path) -> FaceBranch:
    """The face branch of a finished actor, in evaluation mode; of the rest nothing is read.

    Raises:
        WeightsError: no checkpoint of an actor, or not a whole one.
    """
    branch = FaceBranch(ActorConfig(**read_config(folder)["config"]))
    branch.load_state_dict({name: stored.read() for name, stored in _stored(folder).items()})
    return branch.eval()


def face_branch_sha256(folder: Path) -> str:
    """Checksum of the branch's weights in a finished actor.

    Raises:
        WeightsError: no checkpoint of an actor, or not a whole one.
    """
    digest = hashlib.sha256()
    for name, stored in sorted(_stored(folder).items()):
        digest.update(f"{name} {stored.dtype} {stored.shape}".encode())
        digest.update(stored.read().contiguous().view(-1).float().numpy().tobytes())
    return digest.hexdigest()


def _stored(folder: Path) -> dict[str, StoredTensor]:
    found = {name: tensor for name, tensor in list_tensors(weight_files(folder)).items() if name.startswith(_PARTS)}
    if not found:
        raise WeightsError("holds no face encoder: not the checkpoint of an actor", path=folder)
    return found
