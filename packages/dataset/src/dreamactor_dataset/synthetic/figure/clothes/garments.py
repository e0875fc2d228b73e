"""Clothes: the close-fitting helper mesh, pushed off the skin and cut by where necklines, sleeves and hems run.

Cuts are functions of the template (decimetres; every body shares it): positive inside the garment. They are
interpolated per pixel, so that a hem is a line and not a row of triangles.
Legend: N vertices of a part.
"""

from collections.abc import Callable

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.rig import load_rig
from scipy.sparse import csr_matrix

from dreamactor_dataset.synthetic.figure.clothes.hat import hat_part
from dreamactor_dataset.synthetic.figure.clothes.outfit import Clothes
from dreamactor_dataset.synthetic.figure.parts import Material, Part, refined, select, smoothed, triangulate, worn

_Fit = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_SHOULDER_DM = np.array((1.75, 5.25, 0.0))
_WRIST_DM = np.array((4.35, 2.45, 0.95))
_ARM_LENGTH_DM = float(np.linalg.norm(_WRIST_DM - _SHOULDER_DM))
_SLEEVE_SHARE = {"none": 0.04, "short": 0.38, "elbow": 0.56, "long": 0.97}
_NECK_FRONT_DM = {"crew": 5.62, "vee": 4.75, "scoop": 5.05, "high": 5.88}
_HEM_DM = 0.55
_JACKET_HEM_DM = 0.2
# Under the top, which ends lower.
_WAIST_DM = 1.05
_LEG_END_DM = {"trousers": -7.75, "cropped": -6.3, "shorts": -3.2}
_SHOE_TOP_DM = -7.35
# Skin under a garment is not drawn, except this far inside the edge, so that no gap shows.
_SKIN_MARGIN_DM = 0.25


def garments(clothes: Clothes, hair_m: float) -> list[Part]:
    """Everything that is worn, inner layers first; a cap over hair of the given thickness."""
    layers = [_bottom(clothes), _shoes(), _top(clothes)]
    if clothes.jacket is not None:
        layers.append(_jacket(clothes))
    if clothes.hat is not None:
        layers.append(hat_part(hair_m))
    return layers


def bare_skin_dm(clothes: Clothes, blend: csr_matrix) -> np.ndarray:
    """(N,) positive where skin of these body vertices shows."""
    points_dm, arm = _places(blend)
    covers = [_top_cut(clothes, points_dm, arm), _shoe_cut(points_dm)]
    if clothes.bottom_kind != "skirt":
        covers.append(_leg_cut(clothes, points_dm, arm))
    return _SKIN_MARGIN_DM - np.max(covers, axis=0)


def _places(blend: csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Template positions (N, 3) and how far each vertex belongs to an arm (N,)."""
    rig = load_rig()
    bones = [
        i for i, name in enumerate(rig.names) if name.startswith(("upperarm", "lowerarm", "wrist", "finger", "meta"))
    ]
    arm = np.asarray((blend @ rig.weights)[:, bones].sum(axis=1)).ravel()
    return blend @ load_base_mesh().template_dm, arm


def _down_arm_dm(points_dm: np.ndarray) -> np.ndarray:
    """Distance from the shoulder towards the wrist."""
    mirrored = points_dm * (np.sign(points_dm[:, :1]) * (1, 0, 0) + (0, 1, 1))
    return (mirrored - _SHOULDER_DM) @ (_WRIST_DM - _SHOULDER_DM) / _ARM_LENGTH_DM


def _top_cut(clothes: Clothes, points_dm: np.ndarray, arm: np.ndarray) -> np.ndarray:
    sleeve = np.where(arm > 0.5, _SLEEVE_SHARE[clothes.sleeves] * _ARM_LENGTH_DM - _down_arm_dm(points_dm), 9.0)
    hem = np.where(arm > 0.5, 9.0, points_dm[:, 1] - _HEM_DM)
    return np.minimum.reduce([sleeve, hem, _neck_cut(clothes, points_dm)])


def _neck_cut(clothes: Clothes, points_dm: np.ndarray) -> np.ndarray:
    """Distance below the neckline, which rises from the front to the nape."""
    x, y, z = np.abs(points_dm[:, 0]), points_dm[:, 1], points_dm[:, 2]
    front = _NECK_FRONT_DM[clothes.neckline]
    nape = 6.05 if clothes.neckline == "high" else 5.85
    if clothes.neckline == "vee":
        front = front + 1.25 * x
    elif clothes.neckline == "scoop":
        front = front + 0.9 * x**2
    else:
        front = front + 0.25 * x**2
    forward = np.clip((z - (-0.35)) / 0.9, 0, 1)
    return np.minimum(forward * front + (1 - forward) * nape, 6.12) - y


def _leg_cut(clothes: Clothes, points_dm: np.ndarray, arm: np.ndarray) -> np.ndarray:
    end = points_dm[:, 1] - _LEG_END_DM[clothes.bottom_kind]
    return np.where(arm > 0.5, -9.0, np.minimum(_WAIST_DM - points_dm[:, 1], end))


def _shoe_cut(points_dm: np.ndarray) -> np.ndarray:
    return _SHOE_TOP_DM + 0.25 * np.clip(-points_dm[:, 2], 0, 1) - points_dm[:, 1]


def _tights(material: Material, rounds: int, *, fine: bool) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    blend, quads, _ = select(("helper-tights",))
    if fine:
        blend, quads = refined(blend, quads)
    triangles = triangulate(quads).astype(np.int32)
    return smoothed(blend, quads, rounds), triangles, np.full(len(triangles), material, np.int32)


def _part(material: Material, rounds: int, fit: _Fit, *, fine: bool = False) -> Part:
    blend, triangles, materials = _tights(material, rounds, fine=fine)
    points_dm, arm = _places(blend)
    keep, offset_m = fit(points_dm, arm)
    return worn(blend, triangles, materials, offset_m, keep)


def _top(clothes: Clothes) -> Part:
    def fit(points_dm: np.ndarray, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Loose at the waist and the cuffs, close at the shoulders and the neck.
        loose = clothes.loose_m * (np.clip((4.5 - points_dm[:, 1]) / 3, 0, 1) * (1 - arm) + 0.2 * arm)
        return _top_cut(clothes, points_dm, arm), 0.005 + loose

    # Fine: the neckline is what a portrait shows most of it.
    return _part(Material.TOP, 6, fit, fine=True)


def _jacket(clothes: Clothes) -> Part:
    def fit(points_dm: np.ndarray, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y, z = np.abs(points_dm[:, 0]), points_dm[:, 1], points_dm[:, 2]
        sleeve = np.where(arm > 0.5, 0.95 * _ARM_LENGTH_DM - _down_arm_dm(points_dm), 9.0)
        hem = np.where(arm > 0.5, 9.0, y - _JACKET_HEM_DM)
        opening = np.where(z > 0, x - (0.22 + 0.09 * np.clip(y - 1.5, 0, 9)), 9.0)
        keep = np.minimum.reduce([sleeve, hem, opening, 5.95 - 0.2 * np.clip(z, -0.5, 1) - y])
        return keep, 0.012 + (1.0 - 0.8 * arm) * clothes.loose_m + 0.008 * np.clip((4.5 - y) / 3, 0, 1) * (1 - arm)

    return _part(Material.JACKET, 8, fit, fine=True)


def _bottom(clothes: Clothes) -> Part:
    if clothes.bottom_kind == "skirt":
        return _skirt(clothes)

    def fit(points_dm: np.ndarray, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Straight legs: they stand off the shin, not the hip.
        loose = (0.006 + 0.7 * clothes.loose_m) * np.clip((0.5 - points_dm[:, 1]) / 4, 0, 1)
        return _leg_cut(clothes, points_dm, arm), 0.003 + loose

    return _part(Material.BOTTOM, 4, fit)


def _skirt(clothes: Clothes) -> Part:
    blend, quads, _ = select(("helper-skirt",))
    triangles = triangulate(quads).astype(np.int32)
    blend = smoothed(blend, quads, 2)
    points_dm, _ = _places(blend)
    keep = np.minimum(_WAIST_DM - points_dm[:, 1], points_dm[:, 1] - clothes.skirt_dm)
    material = np.full(len(triangles), Material.BOTTOM, np.int32)
    offset_m = np.full(len(points_dm), 0.002)
    return worn(blend, triangles, material, offset_m, keep)


def _shoes() -> Part:
    def fit(points_dm: np.ndarray, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.where(arm > 0.5, -9.0, _shoe_cut(points_dm)), np.full(len(points_dm), 0.006)

    return _part(Material.SHOES, 1, fit)
