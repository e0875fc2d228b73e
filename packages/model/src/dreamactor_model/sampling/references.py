"""Who is to be animated, as the sampler is shown it."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True, eq=False)
class References:
    """Encoded reference images and how the person stands in them.

    Attributes:
        latents_RCHW: (R, C, H / stride, W / stride) normalised latents, on the device of the actor.
        control_RCHW: (R, 6, H, W) uint8 control maps, for models that read them; None: nothing is known of the pose.
    """

    latents_RCHW: Tensor
    control_RCHW: np.ndarray | None = None
