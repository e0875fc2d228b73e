"""Who is to be animated, as the sampler is shown it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from torch import Tensor


class MovedReference(Protocol):
    """The first reference image moved to other poses, F frames of a track, each a picture of its own."""

    def frames(self, poses: MotionTrack) -> np.ndarray:
        """(F, H, W, 3) uint8."""
        ...

    def latents(self, poses: MotionTrack) -> Tensor:
        """Normalised latents (F, C, H / stride, W / stride)."""
        ...


@dataclass(frozen=True, eq=False)
class References:
    """Encoded reference images and how the person stands in them.

    Attributes:
        latents_RCHW: (R, C, H / stride, W / stride) normalised latents, on the device of the actor.
        control_RCHW: (R, 6, H, W) uint8 control maps, for models that read them; None: nothing is known of the pose.
        warp: for actors that read it and for refiners; None: nothing is known of the pose.
    """

    latents_RCHW: Tensor
    control_RCHW: np.ndarray | None = None
    warp: MovedReference | None = None
