"""What shows the body and what shows the head, by the setting `signals.guidance`."""

from typing import Protocol

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance

from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.landmarks import draw_landmarks
from dreamactor_signals.draw.mesh import draw_body_meshes, draw_head_meshes
from dreamactor_signals.draw.skeleton import draw_skeletons
from dreamactor_signals.draw.sphere import draw_spheres


class Draw(Protocol):
    """Draws one part of every frame of a track, as `draw_skeletons` does."""

    def __call__(self, planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, *, opacity: float = 1.0) -> None:
        """Change the planes in place."""
        ...


BODY_AND_HEAD: dict[Guidance, tuple[Draw, Draw]] = {
    "sphere": (draw_skeletons, draw_spheres),
    "landmarks": (draw_skeletons, draw_landmarks),
    "mesh": (draw_body_meshes, draw_head_meshes),
}
