"""The reference stands still."""

import numpy as np

from dreamactor_model.evaluation.suites.scenes import Scene


class CopyReference:
    """A contender (`evaluation.contender.Contender`) that moves nothing."""

    def animate(self, scene: Scene) -> np.ndarray:
        """(T, H, W, 3) uint8."""
        return np.repeat(scene.references_RHWC[:1], len(scene), axis=0)
