"""Three-axis rotary positions, as the Wan base has them.

Legend: N frames (references, then video), L tokens of a frame, H W token rows and columns, P rotated pairs of a head.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamactor_model.dit.token_share import TokenShare


class Rotation(NamedTuple):
    """Angles of a run of tokens as points on the unit circle, complex (L, 1, P), to broadcast over batch and heads."""

    turn_LP: Tensor

    def slice(self, start: int, stop: int | None) -> "Rotation":
        """The rotation of tokens start to stop."""
        return Rotation(self.turn_LP[start:stop])

    def share(self, share: TokenShare, frame_count: int) -> "Rotation":
        """The rotation of those tokens of each frame that are computed here."""
        return Rotation(*(share.mine(part.unflatten(0, (frame_count, -1)), 1).flatten(0, 1) for part in self))

    def repeat(self, times: int) -> "Rotation":
        """The same tokens' rotation, `times` in a row."""
        return Rotation(self.turn_LP.repeat(times, 1, 1))


def frame_positions(reference_count: int, frame_count: int, device: torch.device) -> Tensor:
    """Temporal positions (N,): reference r stands at -(r + 1), whatever follows it, and video frame f at f.

    Each reference has a place of its own before the clip, so that none is taken for a frame of it (paper 3.3).
    """
    references = -torch.arange(1, reference_count + 1, device=device)
    return torch.cat([references, torch.arange(frame_count, device=device)])


def rotation_3d(times_N: Tensor, height: int, width: int, head_dim: int, theta: float) -> Rotation:
    """Angles for tokens ordered frame, row, column, over `height` x `width` tokens a frame."""
    side = 2 * (head_dim // 6)
    rows = torch.arange(height, device=times_N.device)
    columns = torch.arange(width, device=times_N.device)
    grid = torch.meshgrid(times_N, rows, columns, indexing="ij")
    axes = zip(grid, (head_dim - 2 * side, side, side), strict=True)
    angles_LP = torch.cat([_angles(positions.flatten(), size, theta) for positions, size in axes], dim=-1)
    return Rotation(torch.complex(angles_LP.cos().float(), angles_LP.sin().float()).unsqueeze(1))


def _angles(positions_L: Tensor, size: int, theta: float) -> Tensor:
    # Double precision: at position 1000 the fastest pair would otherwise lose four digits.
    exponents_P = torch.arange(0, size, 2, dtype=torch.float64, device=positions_L.device) / size
    return torch.outer(positions_L.double(), theta**-exponents_P)


def rotate(x_BLHE: Tensor, rotation: Rotation) -> Tensor:
    """Turn each neighbouring pair of a head's values by its token's angles."""
    pairs_BLHP2 = x_BLHE.float().unflatten(-1, (-1, 2))
    if x_BLHE.is_cpu:
        # One complex product: three times as fast there as anything a compiler makes of the four real ones.
        turned = torch.view_as_real(torch.view_as_complex(pairs_BLHP2) * rotation.turn_LP)
    else:
        even, odd = pairs_BLHP2.unbind(-1)
        cos, sin = rotation.turn_LP.real, rotation.turn_LP.imag
        turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2).type_as(x_BLHE)
