"""Hair that is tied: a bun, or a ponytail, at the back of the head.

Legend: R rings, C points a ring, N = R C vertices.
"""

import numpy as np
from scipy.sparse import csr_matrix

from dreamactor_dataset.synthetic.figure.hair.anchors import anchored, direction
from dreamactor_dataset.synthetic.figure.hair.cut import Hair
from dreamactor_dataset.synthetic.figure.parts import Material, Part

_RINGS, _RING = 14, 20
KNOT_POLAR_RAD = 1.0


def bun(hair: Hair) -> Part:
    """A ball of wound hair; longer hair makes a larger one."""
    radius_m = 0.026 + 0.07 * hair.length_m
    turn = np.linspace(0.02, np.pi - 0.02, _RINGS)
    out = direction(np.array(KNOT_POLAR_RAD), np.array(np.pi))
    centers = (0.7 * radius_m + hair.thickness_m) * out - radius_m * np.cos(turn)[:, None] * out * 0.85
    return _tube(centers, radius_m * np.sin(turn), winding=2.5)


def ponytail(hair: Hair) -> Part:
    """A tail that leaves the knot and falls behind the neck."""
    along = np.linspace(0, 1, _RINGS)
    out = direction(np.array(KNOT_POLAR_RAD), np.array(np.pi))
    reach_m = 0.05 * np.sin(np.clip(along * 3, 0, 0.5 * np.pi))
    down_m = (0.06 + hair.length_m) * np.clip(along - 0.12, 0, 1) ** 1.2
    centers = hair.thickness_m * out + reach_m[:, None] * (0.25, 0.35, -1.0) * np.array((0, 1, 1.0))
    centers = centers - down_m[:, None] * (0, 1, 0)
    width_m = np.interp(along, (0, 0.08, 0.45, 0.9, 1.0), (0.012, 0.014, 0.027, 0.014, 0.001))
    return _tube(centers, width_m, winding=0.3)


def _tube(centers_m: np.ndarray, radius_m: np.ndarray, winding: float) -> Part:
    """Rings around a line, hung on one place of the head."""
    knot = anchored(direction(np.array([KNOT_POLAR_RAD]), np.array([np.pi])))
    along = np.gradient(centers_m, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    left = np.array((1.0, 0.0, 0.0))
    up = np.cross(along, left)
    angle = np.arange(_RING) / _RING * 2 * np.pi
    ring = np.cos(angle)[None, :, None] * left + np.sin(angle)[None, :, None] * up[:, None]
    shift_m = centers_m[:, None] + radius_m[:, None, None] * ring
    number = np.arange(_RINGS * _RING).reshape(_RINGS, _RING)
    right = np.roll(number, -1, axis=1)
    a, b, c, d = number[:-1], right[:-1], right[1:], number[1:]
    triangles = np.concatenate([np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))])
    # Texture coordinates: strands run along the line and wind around it.
    strand = 0.5 + 0.5 * np.sin(6 * angle[None] + winding * np.linspace(0, 2 * np.pi, _RINGS)[:, None])
    tone = 0.55 + 0.4 * np.sin(4 * angle[None] + 1.7 * winding * np.linspace(0, 2 * np.pi, _RINGS)[:, None])
    uv = np.stack([strand, tone], axis=-1).reshape(-1, 2)
    return Part(
        blend=csr_matrix(knot[np.zeros(number.size, int)]),
        triangles=triangles.astype(np.int32),
        material=np.full(len(triangles), Material.HAIR, np.int32),
        offset_m=np.zeros(number.size),
        shift_m=shift_m.reshape(-1, 3),
        keep_dm=np.ones(number.size),
        uv=uv[triangles],
        two_sided=True,
    )
