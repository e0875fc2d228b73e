"""Rotations that gradients pass through: axis-angle for limbs, two columns (6-D) for the root.

Legend: ... any leading axes.
"""

import torch
from torch import Tensor

_SMALL = 1e-8


def from_axis_angle(turn: Tensor) -> Tensor:
    """(..., 3) axis times angle in radians -> (..., 3, 3), smooth at zero too."""
    square = (turn * turn).sum(-1)[..., None, None]
    small = square < _SMALL
    angle = torch.sqrt(torch.where(small, torch.ones_like(square), square))
    first = torch.where(small, 1 - square / 6, torch.sin(angle) / angle)
    second = torch.where(small, 0.5 - square / 24, (1 - torch.cos(angle)) / (angle * angle))
    x, y, z = turn.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    # The square of the skew matrix, written out: thousands of products of 3 x 3 matrices take longer.
    skew_square = turn[..., :, None] * turn[..., None, :] - square * torch.eye(3, dtype=turn.dtype, device=turn.device)
    return torch.eye(3, dtype=turn.dtype, device=turn.device) + first * skew + second * skew_square


def from_columns(columns: Tensor) -> Tensor:
    """(..., 6) two columns -> (..., 3, 3), the columns made orthonormal (Zhou et al. 2019)."""
    x = torch.nn.functional.normalize(columns[..., :3], dim=-1)
    y = columns[..., 3:] - (x * columns[..., 3:]).sum(-1, keepdim=True) * x
    y = torch.nn.functional.normalize(y, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)


def to_columns(rotations: Tensor) -> Tensor:
    """(..., 3, 3) -> (..., 6)."""
    return torch.cat([rotations[..., 0], rotations[..., 1]], -1)
