"""The shell: the scalp's own faces, finer, pushed out by the hair's thickness.

Hair thins to nothing at the hairline and the skin below is painted in its colour (`paint`), so that no edge and no
hole shows.
Legend: N vertices of the part.
"""

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from scipy.sparse import csr_matrix

from dreamactor_dataset.synthetic.figure.hair.cut import Hair
from dreamactor_dataset.synthetic.figure.hair.scalp import OUTSIDE_DM, scalp_dm
from dreamactor_dataset.synthetic.figure.parts import Material, Part, refined, select, triangulate
from dreamactor_dataset.synthetic.render.noise import value_noise

_FADE_DM = 0.45
# Less than an ear is thick.
_SUNK_M = 0.002


def shell(hair: Hair) -> Part:
    """Hair as a volume."""
    blend, quads = _scalp_faces(hair)
    points_dm = blend @ load_base_mesh().template_dm
    inside = scalp_dm(points_dm, hair.receding)
    # Outside the hairline the shell runs below the skin: its edge is where the two meet, and nothing gapes.
    share = np.clip(inside / _FADE_DM, -0.6, 1)
    rise = np.where(share > 0, 1 - (1 - share) ** 2, 2 * share)
    top = np.clip((points_dm[:, 1] - 7.3) / 1.0, 0, 1)
    offset_m = hair.thickness_m * rise * (0.55 + 0.45 * top) * _tousle(points_dm, hair)
    triangles = triangulate(quads).astype(np.int32)
    return Part(
        blend=blend,
        triangles=triangles,
        material=np.full(len(triangles), Material.HAIR, np.int32),
        offset_m=np.maximum(offset_m, -_SUNK_M),
        shift_m=np.zeros((len(points_dm), 3)),
        keep_dm=np.ones(len(points_dm)),
        uv=np.zeros((len(triangles), 3, 2)),
        two_sided=False,
    )


def _scalp_faces(hair: Hair) -> tuple[csr_matrix, np.ndarray]:
    blend, quads, _ = select(("body",))
    inside = scalp_dm(blend @ load_base_mesh().template_dm, hair.receding)
    chosen = quads[(inside[quads] > -2 * OUTSIDE_DM).all(axis=1)]
    used, compact = np.unique(chosen, return_inverse=True)
    blend, quads = csr_matrix(blend[used]), compact.reshape(chosen.shape)
    for _ in range(2 if hair.texture == "coily" else 1):
        blend, quads = refined(blend, quads)
    return blend, quads


def _tousle(points_dm: np.ndarray, hair: Hair) -> np.ndarray:
    """(N,) factor around 1 that keeps a head of hair from being a helmet."""
    rough, size = {"straight": (0.45, 5.0), "wavy": (0.7, 6.0), "coily": (0.6, 9.0)}[hair.texture]
    if hair.style == "afro":
        # Large as it is, it is even.
        rough, size = 0.2, 14.0
    noise = np.array([value_noise(*(size * point)) for point in points_dm])
    return 1 + rough * (noise - 0.5)
