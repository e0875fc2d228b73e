"""Where the audio encoder of a finished model lies, and whether it is that model's.

It is trained last and lies beside the stage it belongs to (models/stage3, models/audio), or inside it as audio/, as in
a registered version.
"""

from collections.abc import Iterator
from pathlib import Path

from dreamactor_core.errors import WeightsError

from dreamactor_model.checkpoint import CONFIG_FILE, read_about
from dreamactor_model.encoders.face_branch import face_branch_sha256

AUDIO_FOLDER = "audio"
_REMEDY = "Train it with: dreamactor model train --stage audio"


def find_audio(checkpoint: Path) -> Path:
    """The folder of the audio encoder that makes this model's face tokens.

    Raises:
        WeightsError: there is none, or it imitates another model's face encoder.
    """
    for folder in _places(checkpoint):
        if not _belongs_to(folder, checkpoint):
            raise WeightsError(f"makes face tokens of another model than {checkpoint}", path=folder, remedy=_REMEDY)
        return folder
    raise WeightsError("has no audio encoder, so it cannot be driven by speech", path=checkpoint, remedy=_REMEDY)


def audio_beside(checkpoint: Path) -> Path | None:
    """The audio encoder that goes where the model goes: its own, if it lies beside it and not yet inside."""
    for folder in _places(checkpoint):
        return folder if folder.parent != checkpoint and _belongs_to(folder, checkpoint) else None
    return None


def _places(checkpoint: Path) -> Iterator[Path]:
    for folder in (checkpoint / AUDIO_FOLDER, checkpoint.parent / AUDIO_FOLDER):
        if (folder / CONFIG_FILE).is_file():
            yield folder


def _belongs_to(audio: Path, checkpoint: Path) -> bool:
    """Whether an audio encoder was trained on the tokens of this model's face encoder."""
    return bool(read_about(audio).get("face_branch") == face_branch_sha256(checkpoint))
