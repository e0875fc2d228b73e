"""The hook for an image editor that shows a person in a plain A-pose, so that every bone can be measured (design 4).

None ships with the project, and none is used unless `signals.retarget.pose_standardizer` names one.
"""

import importlib
from typing import Protocol

import numpy as np
from dreamactor_core.errors import SettingsError


class PoseStandardizer(Protocol):
    """Edits a picture of a person."""

    def standardize(self, image: np.ndarray) -> np.ndarray:
        """The same person, arms a little away from the body, facing the camera.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            (H', W', 3) uint8 RGB.
        """
        ...


def load_standardizer(name: str | None) -> PoseStandardizer | None:
    """The editor that MODULE:NAME makes when called without arguments; None for None.

    Raises:
        SettingsError: no such module or name, or what it makes cannot standardize.
    """
    if name is None:
        return None
    remedy = "Set signals.retarget.pose_standardizer to MODULE:NAME of an installed editor, or leave it away"
    module, _, factory = name.partition(":")
    try:
        editor = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError, ValueError, TypeError) as problem:
        raise SettingsError(f"no pose standardizer {name!r} ({problem})", remedy=remedy) from problem
    if not callable(getattr(editor, "standardize", None)):
        raise SettingsError(f"{name!r} makes nothing that can standardize", remedy=remedy)
    return editor  # type: ignore[no-any-return]
