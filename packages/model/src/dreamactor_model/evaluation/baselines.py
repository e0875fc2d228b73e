"""What a model must beat: ways of animating a person that have learned nothing.

Both are contenders (`evaluation.contender.Contender`) that know the first reference alone.
"""

from dataclasses import replace

import numpy as np
from dreamactor_signals.warp import ReferenceWarp

from dreamactor_model.evaluation.suites.scenes import Scene


class CopyReference:
    """The reference stands still."""

    def animate(self, scene: Scene) -> np.ndarray:
        """(T, H, W, 3) uint8."""
        return np.repeat(scene.references_RHWC[:1], len(scene), axis=0)


class Warp:
    """The reference is cut into limbs that move with the joints, and with nothing else.

    Nothing in it is learned: the skeleton and colours say where the person is. The face rests, clothes lie on their
    bones, the scenery stands still. A model that is shown a warp of more than that is compared with this one all the
    same, release after release.
    """

    def animate(self, scene: Scene) -> np.ndarray:
        """(T, H, W, 3) uint8."""
        reference, driving = (
            replace(track, scenery_motion=None, surface_motion=None, face_units=None)
            for track in (scene.reference, scene.driving)
        )
        return ReferenceWarp(scene.references_RHWC[0], reference, learned=False).frames(driving)
