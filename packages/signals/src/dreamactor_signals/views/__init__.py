"""How a person stands before the camera: turned, framed, and cut out for a reference (paper 3.3)."""

from dreamactor_signals.views.framing import Framing, framing
from dreamactor_signals.views.half_body import (
    half_body_box_px,
    half_body_crop,
    half_body_frame,
    half_body_track,
)
from dreamactor_signals.views.turning import turning_views
from dreamactor_signals.views.yaw import (
    head_angles_rad,
    head_yaw_rad,
    pick_complement,
    pick_views,
    pick_yaws,
    torso_yaw_rad,
)

__all__ = [
    "Framing",
    "framing",
    "half_body_box_px",
    "half_body_crop",
    "half_body_frame",
    "half_body_track",
    "head_angles_rad",
    "head_yaw_rad",
    "pick_complement",
    "pick_views",
    "pick_yaws",
    "torso_yaw_rad",
    "turning_views",
]
