"""Who is to be animated, as the sampler is shown it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from torch import Tensor


@dataclass(frozen=True, eq=False)
class References:
    """Encoded reference images and how the person stands in them.

    Attributes:
        latents_RCHW: (R, C, H / stride, W / stride) normalised latents, on the device of the actor.
        control_RCHW: (R, 6, H, W) uint8 control maps, for models that read them; None: nothing is known of the pose.
        warp: for models that read it, latents of the first image moved to the poses of a track of F frames, each a
            picture of its own, (F, C, H / stride, W / stride); None: nothing is known of the pose.
    """

    latents_RCHW: Tensor
    control_RCHW: np.ndarray | None = None
    warp: Callable[[MotionTrack], Tensor] | None = None
