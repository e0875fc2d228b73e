"""Decoded frames on their way out: each sees the reference as its pose would have it (`dreamactor_model.refiner`).

Legend: T video frames, C channels, H W rows and columns.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor

from dreamactor_model.refiner import Refiner
from dreamactor_model.sampling.references import MovedReference
from dreamactor_model.sampling.stream import MotionSource

# As many as a latent decodes to.
_AT_ONCE = 4


@torch.no_grad()
def refine_frames(
    refiner: Refiner, decoded: Iterable[Tensor], reference: MovedReference, motion: MotionSource
) -> Iterator[Tensor]:
    """Frames (3, H, W) in [-1, 1], one by one, in constant memory.

    Args:
        decoded: the frames of the motion, in order, from its first.
        reference: what it was made of.
    """
    coming, start = iter(decoded), 0
    while group := list(islice(coming, _AT_ONCE)):
        decoded_TCHW, frames = torch.stack(group), range(start, start + len(group))
        poses = motion.poses(frames)
        assert poses is not None, "a reference is moved to poses that are known"
        warp_TCHW = torch.from_numpy(reference.frames(poses)).to(decoded_TCHW).permute(0, 3, 1, 2) / 127.5 - 1
        control_TCHW = torch.from_numpy(motion.control_maps(frames)).to(decoded_TCHW) / 255
        yield from refiner(decoded_TCHW, warp_TCHW, control_TCHW).clamp(-1.0, 1.0)
        start += len(group)
