"""Videos that a suite has made lie on disk until its report is whole: a run that was killed goes on where it was, and
no memory has to hold what all contenders made.

Legend: T video frames, H W canvas.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from dreamactor_core.files import atomic_path
from dreamactor_core.provenance import git_commit

_DIGITS = 16


class KeptVideos:
    """Those of one suite; what was made by other settings, clips or code is not theirs.

    While somebody works on the code nothing is taken over: no commit says what made it.

    Args:
        folder: of all suites' videos.
        decisive: all that decides on them but the code and a contender's weights, as JSON can say it.
    """

    def __init__(self, folder: Path, decisive: Mapping[str, Any]) -> None:
        commit = git_commit()
        code = {"commit": commit, "version": version("dreamactor-model")}
        text = json.dumps({**decisive, "code": code}, sort_keys=True, default=str)
        self._folder = folder / hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
        if commit is not None and commit.endswith("-dirty"):
            self.discard()

    def video(self, contender: str, clip: str, make: Callable[[], np.ndarray], *, weights: str = "") -> np.ndarray:
        """(T, H, W, 3) uint8, read from disk where it is looked at; made now, unless it was before.

        Args:
            contender, clip: names of the suite's.
            weights: sha256 of the contender's own, if it has any.
        """
        path = self._folder / contender / weights[:_DIGITS] / f"{clip.replace('/', '_')}.npy"
        if not path.exists():
            with atomic_path(path) as temporary:
                np.save(temporary, make())
        made_THWC: np.ndarray = np.load(path, mmap_mode="r")
        return made_THWC

    def discard(self) -> None:
        """When nobody needs them any more."""
        shutil.rmtree(self._folder, ignore_errors=True)
