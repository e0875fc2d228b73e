"""A paper doll: the reference, cut at its joints, moves as the driving joints do. Nothing is learned.

Limbs are stretched and turned in the picture, the head turns as a sphere, parts are laid over one another from far to
near, and what the person uncovers is painted by what surrounds it. What is not known in a frame stays where it was;
what the reference does not show cannot appear.

Legend: T video frames, H W rows and columns, C channels.
"""

import numpy as np

from dreamactor_model.evaluation.baselines.cutting import Cut, cut_out
from dreamactor_model.evaluation.baselines.placing import Placement, place_parts
from dreamactor_model.evaluation.suites.scenes import Scene


class Warp:
    """A contender (`evaluation.contender.Contender`) that moves the pixels of the first reference by the joints."""

    def animate(self, scene: Scene) -> np.ndarray:
        """(T, H, W, 3) uint8."""
        image_HWC = np.ascontiguousarray(scene.references_RHWC[0])
        start = place_parts(scene.reference, 0)
        cut = cut_out(image_HWC, start)
        places = (place_parts(scene.driving, frame) for frame in range(len(scene)))
        return np.stack([_render(cut, start, start | place) for place in places])


def _render(cut: Cut, start: dict[str, Placement], now: dict[str, Placement]) -> np.ndarray:
    picture_HWC = cut.background_HWC.astype(np.float32)
    for name in sorted(cut.pieces, key=lambda part: -now[part].depth_m):
        piece_HW4 = start[name].moved(cut.pieces[name], now[name])
        picture_HWC = picture_HWC * (1 - piece_HW4[..., 3:]) + piece_HW4[..., :3]
    return picture_HWC.round().clip(0, 255).astype(np.uint8)
